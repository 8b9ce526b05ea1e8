import type { RunEvent } from "../../training/events.ts";

/** What there is to learn from. */
export interface CorpusEvent {
  type: "corpus";
  /** Pairs of sentences to learn from, and to validate on. */
  pairs: number;
  heldOut: number;
  sourceVocabulary: number;
  targetVocabulary: number;
  /** Pairs that are left out: a side is blank, or longer than `maxLength`. */
  empty: number;
  long: number;
}

/** What a validation found. */
export interface TranslationMeasures {
  /** e to the mean of −ln P of a token. */
  perplexity: number;
  /** Of greedy translations, without regard to case. */
  bleu: number;
  /** The part of the greedy translations that are their references to the letter. */
  exact: number;
}

/** What `Translator.train` tells as it goes on. A validation's loss is what `measure` says; of scores, 100 less them. */
export type TranslationEvent = CorpusEvent | RunEvent<TranslationMeasures>;
