import type { CheckpointEvent, DoneEvent, StepEvent, ValidationEvent } from "../../training/events.ts";

/** What `LanguageModel.train` tells as it goes on. */
export type LanguageModelEvent =
  | StepEvent
  | (ValidationEvent & { perplexity: number })
  | CheckpointEvent
  | (DoneEvent & { perplexity?: number });
