/**
 * One row of the table: the contestants take turns, several rounds, each in a process of its own that stays warm.
 *
 * The protocol, a line of JSON each way: `{row}` → `{ready: "name version"}` or `{missing: "what and how to get it"}`,
 * then `{seconds, repeat}` → `{milliseconds: […], peakRss}`, the time of one step, averaged over `repeat` in a row.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import type { Row } from "./rows.ts";

export interface Contestant {
  /** As the table names it. */
  name: string;
  library: string;
  threads: number;
  /** What makes it another than the same library with as many threads. */
  variant?: string;
  command: string;
  arguments: string[];
  /** On top of this process's; undefined takes a variable away. */
  environment: NodeJS.ProcessEnv;
  /** Whether this one can run the row at all. */
  runs(row: Row): boolean;
}

export interface Result extends Pick<Contestant, "library" | "threads" | "variant"> {
  contestant: string;
  version: string;
  /** Median of the steps of all rounds. */
  milliseconds: number;
  /** Of the rounds' medians, the smallest and the largest. */
  spread: [number, number];
  peakRss: number;
}

export interface Missing {
  contestant: string;
  missing: string;
}

type Answer = { ready?: string; missing?: string; milliseconds?: number[]; peakRss?: number };

class Running {
  readonly contestant: Contestant;
  readonly milliseconds: number[] = [];
  readonly medians: number[] = [];
  version = "";
  peakRss = 0;
  /** Why it is out of the race, if it is. */
  lost: string | undefined;
  #process: ChildProcess;
  #lines: Interface;
  #answers: AsyncIterator<string>;

  constructor(contestant: Contestant) {
    this.contestant = contestant;
    this.#process = spawn(contestant.command, contestant.arguments, {
      env: { ...process.env, ...contestant.environment },
      stdio: ["pipe", "pipe", process.env.BENCH_DEBUG ? "inherit" : "ignore"],
    });
    this.#process.on("error", () => {});
    this.#process.stdin!.on("error", () => {}); // it went away: `ask` finds out
    this.#lines = createInterface({ input: this.#process.stdout! });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  async ask(request: unknown): Promise<Answer> {
    this.#process.stdin!.write(`${JSON.stringify(request)}\n`);
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done) return { missing: `${this.contestant.command} ended (BENCH_DEBUG=1 shows why)` };
      if (value.startsWith("{")) return JSON.parse(value) as Answer; // libraries like to greet
    }
  }

  stop(): void {
    this.#lines.close();
    this.#process.kill();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** Whose steps take longer than this (in milliseconds) proves its point once, and sits out the other rounds. */
const LONG = 4000;

export async function race(
  row: Row,
  contestants: readonly Contestant[],
  options: { rounds: number; seconds: number },
): Promise<(Result | Missing)[]> {
  const entered = await Promise.all(contestants.filter((c) => c.runs(row)).map((c) => enter(c, row)));
  const missing = entered.filter((entrant) => "missing" in entrant);
  const running = entered.filter((entrant) => !("missing" in entrant));
  // Steps of microseconds are timed in batches of about a millisecond.
  const repeats = new Map<Running, number>();
  for (const entrant of running) {
    const warm = await turn(entrant, { seconds: options.seconds / 2, repeat: 1 });
    const step = median(warm.milliseconds ?? [Number.POSITIVE_INFINITY]);
    if (step > LONG) record(entrant, warm);
    else repeats.set(entrant, Math.max(1, Math.round(1 / step)));
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const [entrant, repeat] of repeats) {
      record(entrant, await turn(entrant, { seconds: options.seconds, repeat }));
    }
  }
  for (const entrant of running) entrant.stop();
  const lost = running.filter((entrant) => entrant.lost !== undefined);
  return [
    ...running
      .filter((entrant) => !lost.includes(entrant))
      .map(({ contestant, version, milliseconds, medians, peakRss }) => ({
        contestant: contestant.name,
        library: contestant.library,
        threads: contestant.threads,
        ...(contestant.variant !== undefined && { variant: contestant.variant }),
        version,
        milliseconds: median(milliseconds),
        spread: [Math.min(...medians), Math.max(...medians)] as [number, number],
        peakRss,
      })),
    ...lost.map(({ contestant, lost: missing }) => ({ contestant: contestant.name, missing: missing! })),
    ...missing,
  ];
}

/**
 * One untimed step, then the timed ones: the host of a virtual machine may have taken idle memory, and it comes back page by
 * page, a thousand times as slowly as it is read.
 */
async function turn(entrant: Running, request: { seconds: number; repeat: number }): Promise<Answer> {
  await entrant.ask({ seconds: 0, repeat: 1 });
  return entrant.ask(request);
}

async function enter(contestant: Contestant, row: Row): Promise<Running | Missing> {
  const entrant = new Running(contestant);
  const { ready, missing = "no answer" } = await entrant.ask({ row });
  if (ready === undefined) {
    entrant.stop();
    return { contestant: contestant.name, missing };
  }
  entrant.version = ready;
  return entrant;
}

/** What a turn came to; who ends in one, as on a processor that lacks its instructions, is out. */
function record(entrant: Running, { milliseconds, peakRss = 0, missing }: Answer): void {
  if (!milliseconds) {
    entrant.lost = missing ?? "no answer";
    return;
  }
  entrant.milliseconds.push(...milliseconds);
  entrant.medians.push(median(milliseconds));
  entrant.peakRss = Math.max(entrant.peakRss, peakRss);
}
