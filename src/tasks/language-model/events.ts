import type {
  CheckpointEvent,
  DoneEvent,
  SampleEvent,
  StepEvent,
  ValidationEvent,
} from "../../training/events.ts";

/** Weights were taken over from a model (`initFrom`); comes first. */
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
  | InitialisedEvent
  | StepEvent
  | (ValidationEvent & { perplexity: number })
  | SampleEvent
  | CheckpointEvent
  | (DoneEvent & { perplexity?: number });
