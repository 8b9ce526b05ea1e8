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
  command: string;
  arguments: string[];
  environment?: Record<string, string>;
  /** Whether this one can run the row at all. */
  runs(row: Row): boolean;
  /** Rounds to sit out after the first: a rival that needs seconds per step proves its point once. */
  once?: boolean;
}

export interface Result {
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

export async function race(
  row: Row,
  contestants: readonly Contestant[],
  options: { rounds: number; seconds: number },
): Promise<(Result | Missing)[]> {
  const running: Running[] = [];
  const missing: Missing[] = [];
  for (const contestant of contestants.filter((c) => c.runs(row))) {
    const entrant = new Running(contestant);
    const answer = await entrant.ask({ row });
    if (answer.ready === undefined) {
      missing.push({ contestant: contestant.name, missing: answer.missing ?? "no answer" });
      entrant.stop();
      continue;
    }
    entrant.version = answer.ready;
    running.push(entrant);
  }
  // Steps of microseconds are timed in batches of about a millisecond.
  const repeats = new Map<Running, number>();
  for (const entrant of running) {
    const warm = await entrant.ask({ seconds: entrant.contestant.once ? 0 : options.seconds / 2, repeat: 1 });
    const step = median(warm.milliseconds ?? [1]);
    repeats.set(entrant, Math.max(1, Math.round(1 / step)));
    if (entrant.contestant.once && warm.milliseconds) record(entrant, warm);
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const entrant of running) {
      if (entrant.contestant.once) continue;
      record(entrant, await entrant.ask({ seconds: options.seconds, repeat: repeats.get(entrant) }));
    }
  }
  for (const entrant of running) entrant.stop();
  return [
    ...running.map((entrant) => ({
      contestant: entrant.contestant.name,
      version: entrant.version,
      milliseconds: median(entrant.milliseconds),
      spread: [Math.min(...entrant.medians), Math.max(...entrant.medians)] as [number, number],
      peakRss: entrant.peakRss,
    })),
    ...missing,
  ];
}

function record(entrant: Running, { milliseconds = [], peakRss = 0 }: Answer): void {
  entrant.milliseconds.push(...milliseconds);
  entrant.medians.push(median(milliseconds));
  entrant.peakRss = Math.max(entrant.peakRss, peakRss);
}
