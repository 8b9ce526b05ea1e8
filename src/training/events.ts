import type { Profile } from "../autograd/profile.ts";

/** What a training tells as it goes on. */
export type TrainingEvent = StepEvent | ValidationEvent | SampleEvent | CheckpointEvent | DoneEvent;

/** What the trainings of all tasks tell alike; `Measures` is what a task's validation finds. */
export type RunEvent<Measures> =
  | ResumeEvent
  | StepEvent
  | (ValidationEvent & Measures)
  | CheckpointEvent
  | DoneEvent;

/** At the beginning of a training that was to go on from a checkpoint. */
export interface ResumeEvent {
  type: "resume";
  /** Where it goes on; 0 if there was no checkpoint yet, and it begins anew. */
  step: number;
  /** Whole epochs done. */
  epoch: number;
  /** The checkpoint. */
  path?: string;
  /** Whether there is nothing left to do. */
  finished: boolean;
  /** Newer checkpoints that are damaged, and what is wrong with each. */
  skipped: string[];
  /** Options that are not those of before. */
  changed: string[];
  /** Why results may not have the bits they would have had where the training was before; empty if they will. */
  numerics: string[];
}

/** After an update of the weights; not after each, but often enough to watch. */
export interface StepEvent {
  type: "step";
  /** Updates so far. */
  step: number;
  /** The running epoch, from 1. */
  epoch: number;
  epochs: number;
  /** Mean training loss since the last such event. */
  loss: number;
  /** Norm of the gradient before clipping. */
  gradNorm: number;
  /** Norm of all weights after the update. */
  parameterNorm: number;
  /** The same two of each parameter by its name, if `norms` asks for them. */
  norms?: Record<string, ParameterNorms>;
  learningRate: number;
  /** Tokens so far. */
  tokens: number;
  tokensPerSecond: number;
  /** Since the training began, interruptions left out. */
  seconds: number;
  /** The part of the work that is done, 0 to 1. */
  progress: number;
  secondsLeft: number;
}

export interface ParameterNorms {
  gradient: number;
  parameter: number;
}

export interface ValidationEvent {
  type: "validation";
  step: number;
  epoch: number;
  loss: number;
  /** Whether no validation before was as good. */
  best: boolean;
}

/** What the model writes, or says of an example, as it is now. */
export interface SampleEvent {
  type: "sample";
  step: number;
  epoch: number;
  text: string;
}

export interface CheckpointEvent {
  type: "checkpoint";
  step: number;
  /** The best weights, or all it takes to go on from here. */
  kind: "best" | "last";
  path: string;
}

export interface DoneEvent {
  type: "done";
  reason: "finished" | "early-stopping" | "aborted";
  step: number;
  epoch: number;
  /** Of the best validation; absent if there was none. */
  validLoss?: number;
  tokens: number;
  tokensPerSecond: number;
  seconds: number;
  /** What the ops of an update cost, if `profile` asks for it. */
  profile?: Profile;
}
