import type { Owner } from "../../io/folder-lock.ts";
import type { ResumeEvent, TrainingEvent } from "../events.ts";

/** What a log holds: how the training was begun, and all it told. */
export type LogEvent = StartEvent | InitialisedEvent | ResumeEvent | TrainingEvent;

/** The first of a log, and the first again after each resume. */
export interface StartEvent {
  type: "start";
  /** Updates before: 0 but for a resume. */
  step: number;
  task: string;
  /** The folder that is trained into, if there is one. */
  out?: string | undefined;
  /** Everything the training was told, and what it is of interest to compare. */
  options: Record<string, unknown>;
  /** The process that trains. */
  process: Owner;
}

/** Weights were taken over from another model; what a task says of that is kept as it is. */
export interface InitialisedEvent {
  type: "initialised";
  step: 0;
}

/** The numbers of an event that are not the same for every task, e.g. a validation's perplexity. */
export function metricsOf(event: object): [name: string, value: number][] {
  return Object.entries(event).filter(
    ([name, value]) => typeof value === "number" && !["step", "epoch", "loss"].includes(name),
  );
}
