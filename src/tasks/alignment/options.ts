import * as v from "valibot";
import {
  checkOptions,
  functionOf,
  numberIn,
  recordOf,
  type SchemasOf,
  text,
  wholeNumber,
} from "../../options.ts";
import type { DoneEvent, StepEvent, ValidationEvent } from "../../training/events.ts";
import { type CaptioningSource, sourceSchema } from "../captioning/options.ts";
import type { AlignmentMeasures } from "./evaluate.ts";

/** What `ImageAligner.train` tells as it goes on. A validation's loss is 100 less the mean of its recalls, in per cent. */
export type AlignmentEvent =
  | { type: "corpus"; images: number; heldOut: number; captions: number; vocabulary: number; notes: string[] }
  | StepEvent
  | (ValidationEvent & AlignmentMeasures)
  | DoneEvent;

/** Everything `ImageAligner.train` can be told. */
export interface AlignmentOptions {
  /** What to validate on. Default: the valid part of the captions' own splits, else `validFraction`. */
  valid?: CaptioningSource;
  /** The part of the images held out to validate on if nothing else is; 0 for none. Default 0.05. */
  validFraction?: number;
  /** Rarer words are unknown. Default 5. */
  minCount?: number;
  /** The most words of a caption; longer ones are left out. Default 40. */
  maxLength?: number;
  /** Default 256. */
  embeddingSize?: number;
  /** Of the space that regions and words share. Default 256. */
  hiddenSize?: number;
  /** Of features, words and what is read. Default 0.2. */
  dropout?: number;
  /** The most words of a batch; each of its captions is compared with each of its images. Default 1000. */
  batchTokens?: number;
  /** Default 10. */
  epochs?: number;
  /** The most updates. Default: as many as the epochs have. */
  maxSteps?: number;
  /** Of Adam. Default 0.001. */
  learningRate?: number;
  /** The gradient's norm is scaled down to this. Default 5. */
  clip?: number;
  /** Default 1. */
  seed?: number;
  /** Default: one for each processor. The result is the same for any number. */
  threads?: number;
  /** A folder for the model, written when it is trained. Default: nothing is written. */
  out?: string;
  onProgress?: (event: AlignmentEvent) => void;
  /** Ends the training early: the model is the best so far. */
  signal?: AbortSignal;
}

const count = wholeNumber(1, 2 ** 31 - 1);
const size = wholeNumber(1, 65_536);

const schema = recordOf({
  valid: v.optional(sourceSchema),
  validFraction: v.optional(numberIn({ from: 0, to: 0.5 }), 0.05),
  minCount: v.optional(wholeNumber(1, 1_000_000), 5),
  maxLength: v.optional(wholeNumber(1, 10_000), 40),
  embeddingSize: v.optional(size, 256),
  hiddenSize: v.optional(size, 256),
  dropout: v.optional(numberIn({ from: 0, below: 1 }), 0.2),
  batchTokens: v.optional(wholeNumber(1, 10_000_000), 1000),
  epochs: v.optional(wholeNumber(1, 1_000_000), 10),
  maxSteps: v.optional(count),
  learningRate: v.optional(numberIn({ above: 0 }), 0.001),
  clip: v.optional(numberIn({ above: 0 }), 5),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
  threads: v.optional(wholeNumber(1, 256)),
  out: v.optional(v.pipe(text(), v.nonEmpty("must not be empty"))),
  onProgress: v.optional(functionOf<(event: AlignmentEvent) => void>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<AlignmentOptions>);

export type ResolvedOptions = v.InferOutput<typeof schema>;

/** The options, checked and with their defaults. */
export const checkAlignmentOptions = (options: AlignmentOptions): ResolvedOptions =>
  checkOptions("ImageAligner.train", schema, options);
