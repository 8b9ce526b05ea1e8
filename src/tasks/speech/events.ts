import type { RunEvent } from "../../training/events.ts";

/** Recordings are read and their features extracted; before anything else, now and then. */
export interface FeaturesEvent {
  type: "features";
  utterances: number;
  of: number;
}

/** An utterance is left out, since it cannot be used. */
export interface SkippedEvent {
  type: "skipped";
  /** Which, and why. */
  problem: string;
}

/** What there is to learn from. */
export interface CorpusEvent {
  type: "corpus";
  utterances: number;
  /** Of sound. */
  seconds: number;
  /** To validate on. */
  heldOut: number;
  heldOutSeconds: number;
  /** Labels, the blank among them. */
  classes: number;
}

/** What a validation found: error rates of best paths, and −ln P of a label. */
export interface SpeechMeasures {
  wer: number;
  cer: number;
  ctcLoss: number;
}

/** What `SpeechRecognizer.train` tells as it goes on. A validation's loss is what `measure` says. */
export type SpeechEvent = FeaturesEvent | SkippedEvent | CorpusEvent | RunEvent<SpeechMeasures>;
