import * as v from "valibot";
import { checkOptions, numberIn, oneOf, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import type { RunEvent } from "../../training/events.ts";
import type { ImagesEvent } from "../captioning/events.ts";
import { type CaptioningSource, optimizers, schedules, sourceSchema } from "../captioning/options.ts";
import { checkDependent, checkFolders, type RunOptions, runEntries } from "../run-options.ts";
import type { AlignmentMeasures } from "./evaluate.ts";

/** What there is to learn from. */
export interface AlignedEvent {
  type: "corpus";
  images: number;
  heldOut: number;
  captions: number;
  vocabulary: number;
  /** What was left out, each by its name. */
  notes: string[];
}

/** What `ImageAligner.train` tells as it goes on. A validation's loss is 100 less the mean of its recalls, in per cent. */
export type AlignmentEvent = AlignedEvent | ImagesEvent | RunEvent<AlignmentMeasures>;

/** Everything `ImageAligner.train` can be told. */
export interface AlignmentOptions extends RunOptions<AlignmentEvent> {
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
  /** Default "adam". */
  optimizer?: (typeof optimizers)[number];
  /** Default 0.7 for sgd, 0.001 for the others. */
  learningRate?: number;
  /** How the learning rate changes. Default "cosine". */
  schedule?: (typeof schedules)[number];
  /** The gradient's norm is scaled down to this. Default 5. */
  clip?: number;
}

const size = wholeNumber(1, 65_536);

const schema = recordOf({
  ...runEntries<AlignmentEvent>(),
  valid: v.optional(sourceSchema),
  validFraction: v.optional(numberIn({ from: 0, to: 0.5 }), 0.05),
  minCount: v.optional(wholeNumber(1, 1_000_000), 5),
  maxLength: v.optional(wholeNumber(1, 10_000), 40),
  embeddingSize: v.optional(size, 256),
  hiddenSize: v.optional(size, 256),
  dropout: v.optional(numberIn({ from: 0, below: 1 }), 0.2),
  batchTokens: v.optional(wholeNumber(1, 10_000_000), 1000),
  epochs: v.optional(wholeNumber(1, 1_000_000), 10),
  optimizer: v.optional(oneOf(optimizers), "adam"),
  learningRate: v.optional(numberIn({ above: 0 })),
  schedule: v.optional(oneOf(schedules), "cosine"),
  clip: v.optional(numberIn({ above: 0 }), 5),
} satisfies SchemasOf<AlignmentOptions>);

export type ResolvedOptions = Omit<v.InferOutput<typeof schema>, "learningRate"> & { learningRate: number };

/** The options, checked and with their defaults. */
export function checkAlignmentOptions(options: AlignmentOptions): ResolvedOptions {
  const where = "ImageAligner.train";
  const checked = checkOptions(where, schema, options);
  checkDependent(where, checked, [
    ["decay", "schedule", ["plateau"]],
    ["warmup", "schedule", ["cosine"]],
  ]);
  checkFolders(where, checked);
  const { learningRate = checked.optimizer === "sgd" ? 0.7 : 0.001 } = checked;
  return { ...checked, learningRate };
}
