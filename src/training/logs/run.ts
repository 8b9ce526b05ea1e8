import type { Owner } from "../../io/folder-lock.ts";
import { linesOf } from "./format.ts";
import { type LoggedEvent, parseEvent } from "./jsonl.ts";

/** A training as its log tells it. */
export interface LoggedRun {
  task: string;
  /** What it was told, the last time it began or was resumed. */
  options: Record<string, unknown>;
  /** When it began. */
  started: string | undefined;
  process: Owner | undefined;
  /** How it ended, if it has: "finished", "early-stopping" or "aborted". */
  ended: string | undefined;
  step: number;
  epoch: number;
  epochs: number | undefined;
  /** Spent on it so far, interruptions left out. */
  seconds: number;
  /** Of the updates alone; the median of what the log says. */
  tokensPerSecond: number | undefined;
  /** The validation with the lowest loss. */
  best: LoggedEvent | undefined;
  steps: LoggedEvent[];
  validations: LoggedEvent[];
}

/** Reads events.jsonl, as far as it goes; undefined if it is no training's. */
export function readRun(bytes: Uint8Array): LoggedRun | undefined {
  const events: LoggedEvent[] = [];
  for (const { line } of linesOf(bytes)) {
    const event = parseEvent(line);
    if (event) events.push(event);
  }
  const starts = events.filter(({ type }) => type === "start");
  const [first, start, last] = [starts[0], starts.at(-1), events.at(-1)];
  if (!first || !start || !last) return undefined;
  const steps = events.filter(({ type }) => type === "step");
  const validations = events.filter(({ type }) => type === "validation");
  const [lastStep, done] = [steps.at(-1), last.type === "done" ? last : undefined];
  return {
    task: textOf(start.task) ?? "unknown",
    options: isRecord(start.options) ? start.options : {},
    started: first.time,
    process: ownerOf(start.process),
    ended: textOf(done?.reason),
    step: last.step,
    epoch: numberOf(lastStep, "epoch") ?? 0,
    epochs: numberOf(lastStep, "epochs"),
    seconds: numberOf(done, "seconds") ?? numberOf(lastStep, "seconds") ?? 0,
    tokensPerSecond: median(steps.flatMap((event) => numberOf(event, "tokensPerSecond") ?? [])),
    best: lowest(validations),
    steps,
    validations,
  };
}

/** A field, if the event has it and it is a number. */
export function numberOf(event: LoggedEvent | undefined, field: string): number | undefined {
  const value = event?.[field];
  return typeof value === "number" ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function ownerOf(value: unknown): Owner | undefined {
  const { host, pid, started } = isRecord(value) ? value : {};
  if (typeof host !== "string" || typeof pid !== "number" || typeof started !== "string") return undefined;
  return { host, pid, started };
}

function lowest(validations: readonly LoggedEvent[]): LoggedEvent | undefined {
  const loss = (event: LoggedEvent) => numberOf(event, "loss") ?? Infinity;
  return validations.reduce<LoggedEvent | undefined>(
    (best, event) => (!best || loss(event) < loss(best) ? event : best),
    undefined,
  );
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
