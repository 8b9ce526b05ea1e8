import { compactNumber, duration } from "./format.ts";

/** The part of a stream that a progress bar needs; process.stderr has it. */
export interface Terminal {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  hasColors?(): boolean;
}

export interface Progress {
  /** 0 to 1. */
  fraction: number;
  /** Where in the work this is, e.g. `epoch 2/10`. */
  stage?: string;
  loss?: number;
  tokensPerSecond?: number;
  secondsLeft?: number;
}

const REDRAW_MS = 100;
/** Without a terminal: how often a plain line tells that work goes on. */
const LINE_MS = 10_000;
const WIDEST_BAR = 40;
const NARROWEST_BAR = 8;

/**
 * A progress bar on a terminal's stderr, redrawn ten times a second at most. Anywhere else a plain line now and then.
 */
export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #live: boolean;
  readonly #colors: boolean;
  #drawnAt = -Infinity;
  #last: Progress | undefined;
  #onScreen = false;

  constructor(terminal: Terminal = process.stderr, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
    this.#live = terminal.isTTY === true && process.env.TERM !== "dumb";
    this.#colors = this.#live && terminal.hasColors?.() === true;
  }

  update(progress: Progress): void {
    this.#last = progress;
    const now = this.#now();
    if (now - this.#drawnAt < (this.#live ? REDRAW_MS : LINE_MS)) return;
    this.#drawnAt = now;
    this.#draw(progress);
  }

  /** A line that stays, above the bar. */
  note(line: string): void {
    this.#erase();
    this.#terminal.write(`${line}\n`);
    if (this.#live && this.#last) this.#draw(this.#last);
  }

  /** Takes the bar away. */
  end(): void {
    this.#erase();
    this.#last = undefined;
  }

  #erase(): void {
    if (this.#onScreen) this.#terminal.write("\r\x1b[K");
    this.#onScreen = false;
  }

  #draw(progress: Progress): void {
    if (!this.#live) {
      this.#terminal.write(`${fields(progress).join("  ").trimStart()}\n`);
      return;
    }
    // One column stays free: a full line would wrap on some terminals.
    this.#terminal.write(`\r${line(progress, (this.#terminal.columns ?? 80) - 1, this.#colors)}\x1b[K`);
    this.#onScreen = true;
  }
}

/** From the most to the least wanted, in the order they are shown. */
function fields({ fraction, stage, loss, secondsLeft, tokensPerSecond }: Progress): string[] {
  return [
    `${Math.floor(100 * fraction)}%`.padStart(4),
    loss === undefined ? "" : `loss ${loss.toFixed(3)}`,
    secondsLeft === undefined ? "" : `${duration(secondsLeft)} left`,
    tokensPerSecond === undefined ? "" : `${compactNumber(tokensPerSecond)} tokens/s`,
    stage ?? "",
  ].filter((field) => field !== "");
}

/** The bar and as many fields as the width allows. */
function line(progress: Progress, width: number, colors: boolean): string {
  const [percent = "", ...rest] = fields(progress);
  let text = "";
  for (const field of rest) {
    if (percent.length + text.length + 2 + field.length > width) break;
    text += `  ${field}`;
  }
  const room = Math.min(WIDEST_BAR, width - percent.length - text.length - 1);
  if (room < NARROWEST_BAR) return (percent + text).slice(0, Math.max(0, width));
  const full = Math.round(progress.fraction * room);
  const [done, left] = ["━".repeat(full), "─".repeat(room - full)];
  const bar = colors ? `\x1b[36m${done}\x1b[90m${left}\x1b[0m` : `${done}${left}`;
  return `${percent} ${bar}${text}`;
}
