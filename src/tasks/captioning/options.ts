import * as v from "valibot";
import { type CaptionedImage, splits } from "../../data/images/caption-file.ts";
import { OptionError } from "../../errors.ts";
import type { AttentionScore } from "../../nn/attention.ts";
import { attentionScores } from "../../nn/attention.ts";
import { checkOptions, numberIn, oneOf, recordOf, type SchemasOf, text, wholeNumber } from "../../options.ts";
import {
  checkDependent,
  checkFolders,
  type Dependent,
  pathSchema,
  type RunOptions,
  runEntries,
} from "../run-options.ts";
import { decoders } from "./config.ts";
import type { CaptioningEvent } from "./events.ts";

export const optimizers = ["sgd", "adam", "adamw", "rmsprop"] as const;
export const schedules = ["constant", "plateau", "cosine"] as const;
export const measures = ["cider", "bleu", "exact", "loss"] as const;

/** Images and what people say of them. */
export interface CaptioningSource {
  /**
   * Captions: Flickr8k's token file, COCO's annotations, Karpathy's JSON; several are one after the other. Or the captions
   * themselves.
   */
  captions: string | readonly string[] | readonly CaptionedImage[];
  /** A folder of images, by the names that the captions have; needs the package sharp. */
  images?: string | undefined;
  /** A CNN as ONNX that makes features of them; needs the package onnxruntime-node. Default: the network's own sees pixels. */
  encoder?: string | undefined;
  /** A folder in which such features are kept, to be found again. Default: nowhere. */
  cache?: string | undefined;
  /** Instead: safetensors files with `pooled` and `grid` features or `pixels` of all images. */
  features?: readonly string[] | undefined;
  /** The names of the images of `features`, one a line. Default: images.txt beside the first of them. */
  names?: string | undefined;
  /** Which of the images these are: a file of names, one a line. Default: the part of the captions' own splits. */
  split?: string | undefined;
}

/** Everything `ImageCaptioner.train` can be told. */
export interface CaptioningOptions extends RunOptions<CaptioningEvent> {
  /** What to validate on. Default: the valid part of the captions' own splits, else `validFraction`. */
  valid?: CaptioningSource;
  /** The part of the images held out to validate on if nothing else is; 0 for none. Default 0.05. */
  validFraction?: number;
  /** Rarer words are unknown, and never said. Default 5. */
  minCount?: number;
  /** The most words of a caption; longer ones are left out. Default 40. */
  maxLength?: number;

  /** What tells. Default "lstm". */
  decoder?: (typeof decoders)[number];
  /** Of decoder "attention": how well what it looks for fits a place. Default "additive". */
  attention?: AttentionScore;
  /** Of images that are pixels: height and width they are brought to. Default 48, or that of the features' `pixels`. */
  imageSize?: number;
  /** Of images that are pixels: channels of each convolution, after which the image has half the size. Default [16, 32, 64, 64]. */
  channels?: readonly number[];
  /** Default 256. */
  embeddingSize?: number;
  /** Default 256. */
  hiddenSize?: number;
  /** Of images, words, what is looked at and before the output. Default 0.5. */
  dropout?: number;

  /** The most words of a batch. Default 1000. */
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
  /** The part of a target's probability that is shared by all words. Default 0. */
  labelSmoothing?: number;
  /** What is best: the highest CIDEr-D, BLEU-4 or most exact captions, greedy ones, or the lowest loss. Default "cider". */
  measure?: (typeof measures)[number];
}

const captioned = recordOf({
  image: pathSchema,
  captions: v.array(text()),
  split: v.optional(oneOf(splits)),
});

export const sourceSchema = recordOf({
  captions: v.union(
    [pathSchema, v.array(pathSchema), v.array(captioned)],
    "must be a file, several, or an array of { image, captions }",
  ),
  images: v.optional(pathSchema),
  encoder: v.optional(pathSchema),
  cache: v.optional(pathSchema),
  features: v.optional(v.pipe(v.array(pathSchema), v.minLength(1, "must name a file or more"))),
  names: v.optional(pathSchema),
  split: v.optional(pathSchema),
});

const schema = recordOf({
  ...runEntries<CaptioningEvent>(),
  valid: v.optional(sourceSchema),
  validFraction: v.optional(numberIn({ from: 0, to: 0.5 }), 0.05),
  minCount: v.optional(wholeNumber(1, 1_000_000), 5),
  maxLength: v.optional(wholeNumber(1, 10_000), 40),

  decoder: v.optional(oneOf(decoders), "lstm"),
  attention: v.optional(oneOf(attentionScores)),
  imageSize: v.optional(wholeNumber(4, 1024)),
  channels: v.optional(v.pipe(v.array(wholeNumber(1, 4096)), v.minLength(1), v.maxLength(8))),
  embeddingSize: v.optional(wholeNumber(1, 65_536), 256),
  hiddenSize: v.optional(wholeNumber(1, 65_536), 256),
  dropout: v.optional(numberIn({ from: 0, below: 1 }), 0.5),

  batchTokens: v.optional(wholeNumber(1, 10_000_000), 1000),
  epochs: v.optional(wholeNumber(1, 1_000_000), 10),
  optimizer: v.optional(oneOf(optimizers), "adam"),
  learningRate: v.optional(numberIn({ above: 0 })),
  schedule: v.optional(oneOf(schedules), "cosine"),
  clip: v.optional(numberIn({ above: 0 }), 5),
  labelSmoothing: v.optional(numberIn({ from: 0, below: 1 }), 0),
  measure: v.optional(oneOf(measures), "cider"),
} satisfies SchemasOf<CaptioningOptions>);

export type ResolvedOptions = Omit<v.InferOutput<typeof schema>, "learningRate"> & { learningRate: number };

const where = "ImageCaptioner.train";

const dependent: Dependent<v.InferOutput<typeof schema>> = [
  ["decay", "schedule", ["plateau"]],
  ["warmup", "schedule", ["cosine"]],
  ["attention", "decoder", ["attention"]],
];

/** The options, checked and with their defaults. */
export function checkCaptioningOptions(options: CaptioningOptions): ResolvedOptions {
  const checked = checkOptions(where, schema, options);
  checkDependent(where, checked, dependent);
  if (checked.maxLength >= checked.batchTokens) {
    throw new OptionError(
      `${where}: batchTokens must be above maxLength, ${checked.maxLength}, got ${checked.batchTokens}`,
    );
  }
  checkFolders(where, checked);
  const { learningRate = checked.optimizer === "sgd" ? 0.7 : 0.001 } = checked;
  return { ...checked, learningRate };
}
