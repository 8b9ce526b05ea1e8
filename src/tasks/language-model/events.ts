import type { ReadingStage } from "../../data/text/encode.ts";
import type {
  CheckpointEvent,
  DoneEvent,
  ResumeEvent,
  SampleEvent,
  StepEvent,
  ValidationEvent,
} from "../../training/events.ts";

/** A text too large for memory is made into tokens; before anything else. */
export interface ReadingEvent {
  type: "reading";
  /** Its content is identified, measured, searched for its vocabulary, then encoded. */
  stage: ReadingStage;
  /** The part of the stage that is done, 0 to 1. */
  progress: number;
}

/** The tokens of a text too large for memory are ready. */
export interface CorpusEvent {
  type: "corpus";
  /** To learn from. */
  tokens: number;
  heldOut: number;
  vocabularySize: number;
  /** Where they are kept; absent if they are not. */
  path?: string;
  /** Whether they had been made before. */
  found: boolean;
  seconds: number;
}

/** Weights were taken over from a model (`initFrom`); before the first update. */
export interface InitialisedEvent {
  type: "initialised";
  /** The model's folder. */
  from: string;
  /** Tokens that both vocabularies have: their weights were taken over. */
  shared: number;
  /** Tokens that the model does not know: their weights begin afresh. */
  added: SomeTokens;
  /** Tokens of the model that are no longer there. */
  dropped: SomeTokens;
  /** Settings that are not the model's. */
  changed: Record<string, Record<"from" | "to", string | number | boolean | undefined>>;
}

export interface SomeTokens {
  count: number;
  /** The first hundred. */
  tokens: string[];
}

/** What `LanguageModel.train` tells as it goes on. */
export type LanguageModelEvent =
  | ReadingEvent
  | CorpusEvent
  | InitialisedEvent
  | ResumeEvent
  | StepEvent
  | (ValidationEvent & { perplexity: number })
  | SampleEvent
  | CheckpointEvent
  | (DoneEvent & { perplexity?: number });
