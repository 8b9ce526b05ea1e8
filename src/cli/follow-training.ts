import type { CheckpointEvent, DoneEvent, ResumeEvent, StepEvent } from "../training/events.ts";
import { Interrupted, interruptible } from "./interrupt.ts";
import { ProgressBar } from "./ui/progress.ts";
import { describeResume } from "./ui/training.ts";

/** What trainings of all tasks tell alike. */
type Common = StepEvent | ResumeEvent | CheckpointEvent | DoneEvent;

interface Following<Event> {
  json: boolean | undefined;
  /** The model's folder. */
  out: string;
  /** What was going on if it was interrupted before there was anything to train on. */
  reading: string;
  /** Tells, in a line of its own or by the bar, what only this task's training tells. */
  show: (event: Event, bar: ProgressBar) => void;
}

/**
 * Follows a training: one JSON event a line on stdout, or a progress bar and notes on stderr, until it is done or interrupted.
 * Gives its last event, or nothing where that was written already.
 */
export async function followTraining<Event extends { type: string }>(
  train: (hooks: { signal: AbortSignal; onProgress: (event: Event | Common) => void }) => Promise<unknown>,
  { json, out, reading, show }: Following<Event>,
): Promise<DoneEvent | undefined> {
  const bar = json ? undefined : new ProgressBar();
  const signal = interruptible((line) => (bar ? bar.note(line) : process.stderr.write(`${line}\n`)));
  let done: DoneEvent | undefined;
  const onProgress = (event: Event | Common) => {
    if (isOf(event, "done")) done = event;
    if (!bar) process.stdout.write(`${JSON.stringify(event)}\n`);
    else if (isOf(event, "resume")) bar.note(describeResume(event));
    else if (isOf(event, "step")) showStep(event, bar);
    else if (event.type !== "done" && event.type !== "checkpoint") show(event as Event, bar);
  };
  await train({ signal, onProgress })
    .catch((error) => {
      throw error === signal.reason ? new Interrupted(`stopped while ${reading}`, signal) : error;
    })
    .finally(() => bar?.end());
  if (signal.aborted) {
    const way = "the same command with --resume goes on from here";
    throw new Interrupted(`stopped; ${out} holds the best model so far; ${way}`, signal);
  }
  return json ? undefined : done;
}

function isOf<T extends Common["type"]>(
  event: { type: string },
  type: T,
): event is Extract<Common, { type: T }> {
  return event.type === type;
}

function showStep({ progress, epoch, epochs, loss, secondsLeft }: StepEvent, bar: ProgressBar): void {
  bar.update({ fraction: progress, stage: `epoch ${epoch}/${epochs}`, loss, secondsLeft });
}
