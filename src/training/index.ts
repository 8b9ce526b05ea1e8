export { type Asgd, averageWeights, MovingAverage } from "./average.ts";
export type {
  CheckpointEvent,
  DoneEvent,
  ResumeEvent,
  StepEvent,
  TrainingEvent,
  ValidationEvent,
} from "./events.ts";

export type { Progress, TrainingState } from "./state.ts";
export { type BatchLoss, type Checkpoints, Trainer, type TrainerOptions } from "./trainer.ts";
export type { Tree } from "./tree.ts";
