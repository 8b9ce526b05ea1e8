import * as v from "valibot";
import { OptionError } from "../../errors.ts";
import {
  checkOptions,
  numberIn,
  oneOf,
  recordOf,
  type SchemasOf,
  text,
  trueOrFalse,
  wholeNumber,
} from "../../options.ts";
import {
  checkDependent,
  checkFolders,
  type Dependent,
  pathSchema,
  type RunOptions,
  runEntries,
} from "../run-options.ts";
import { attentions, cells, decoders, problemOf, units } from "./config.ts";
import type { TranslationEvent } from "./events.ts";

export const optimizers = ["sgd", "adam", "adamw"] as const;
export const schedules = ["constant", "plateau", "cosine"] as const;
export const measures = ["bleu", "exact", "loss"] as const;

/** Sentences and their translations: two files whose lines belong together, or the lines themselves. */
export type TranslationSource =
  | { source: string; target: string }
  | { source: readonly string[]; target: readonly string[] };

/** Everything `Translator.train` can be told. */
export interface TranslationOptions extends RunOptions<TranslationEvent> {
  /** What to validate on. Default: `validFraction` of the pairs. */
  valid?: TranslationSource;
  /** The part of the pairs held out to validate on if nothing else is; 0 for none. Default 0.05. */
  validFraction?: number;
  /** What a token is. Default "bpe". */
  unit?: (typeof units)[number];
  /** Of bpe, how many tokens; of words, the most of a language. Default 8000, of words all. */
  vocabularySize?: number;
  /** Of words: rarer ones are unknown. Default 2. */
  minCount?: number;
  /**
   * Of words: the language of each side, e.g. "de" and "en", which is then cut into words as Moses does, and truecased unless
   * `lowercase` says otherwise. Default: words and marks apart, as they are.
   */
  sourceLanguage?: string;
  targetLanguage?: string;
  /** Both languages have the same tokens. Default: true of bpe. */
  joint?: boolean;
  /** Default false. */
  lowercase?: boolean;
  /** The most tokens of a sentence; longer pairs are left out. Default 200. */
  maxLength?: number;

  /** Default "lstm". */
  cell?: (typeof cells)[number];
  /** Default 256. */
  embeddingSize?: number;
  /** Units of a layer; of an encoder that reads both ways, of both together. Default 256. */
  hiddenSize?: number;
  /** Layers of the encoder and of the decoder. Default 1. */
  numLayers?: number;
  /** Whether the encoder reads in both directions. Default true. */
  bidirectional?: boolean;
  /** Default "general". */
  attention?: (typeof attentions)[number];
  /** "plain", "context" (Cho et al. 2014, §2.2; without attention), "input-feeding" (Luong et al. 2015, §3.3) or "conditional" (Sennrich et al. 2017, §4). Default "plain". */
  decoder?: (typeof decoders)[number];
  /** Reads the source from its end. Default false. */
  reverseSource?: boolean;
  /** Of embeddings, between layers, of what is looked at and before the output. Default 0.3. */
  dropout?: number;
  /** Default true. */
  tieWeights?: boolean;
  /** All weights begin uniform in ± this. Default: as each layer has it. */
  initRange?: number;

  /** The most tokens of a side of a batch. Default 2000. */
  batchTokens?: number;
  /** Default 20. */
  epochs?: number;
  /** Default "adam". */
  optimizer?: (typeof optimizers)[number];
  /** Default 0.7 for sgd, 0.001 for the others. */
  learningRate?: number;
  /** How the learning rate changes. Default "cosine". */
  schedule?: (typeof schedules)[number];
  /** The part of a target's probability that is shared by all tokens. Default 0.1. */
  labelSmoothing?: number;
  /** The part of the decoder's inputs that are its own words in the end; it grows from 0. Default 0. */
  scheduledSampling?: number;
  /** What is best: the highest BLEU or most exact translations, greedy ones, or the lowest loss. Default "bleu". */
  measure?: (typeof measures)[number];
}

const lines = v.array(text(), "must be an array of strings");

export const sourceSchema = v.union(
  [recordOf({ source: pathSchema, target: pathSchema }), recordOf({ source: lines, target: lines })],
  "must be { source, target }: two files, or two arrays of sentences",
);

const schema = recordOf({
  valid: v.optional(sourceSchema),
  validFraction: v.optional(numberIn({ from: 0, to: 0.5 }), 0.05),
  unit: v.optional(oneOf(units), "bpe"),
  vocabularySize: v.optional(wholeNumber(2, 2 ** 20)),
  minCount: v.optional(wholeNumber(1, 1_000_000)),
  sourceLanguage: v.optional(pathSchema),
  targetLanguage: v.optional(pathSchema),
  joint: v.optional(trueOrFalse()),
  lowercase: v.optional(trueOrFalse(), false),
  maxLength: v.optional(wholeNumber(1, 100_000), 200),

  cell: v.optional(oneOf(cells), "lstm"),
  embeddingSize: v.optional(wholeNumber(1, 65_536), 256),
  hiddenSize: v.optional(wholeNumber(1, 65_536), 256),
  numLayers: v.optional(wholeNumber(1, 64), 1),
  bidirectional: v.optional(trueOrFalse(), true),
  attention: v.optional(oneOf(attentions), "general"),
  decoder: v.optional(oneOf(decoders), "plain"),
  reverseSource: v.optional(trueOrFalse(), false),
  dropout: v.optional(numberIn({ from: 0, below: 1 }), 0.3),
  tieWeights: v.optional(trueOrFalse(), true),
  initRange: v.optional(numberIn({ above: 0 })),

  batchTokens: v.optional(wholeNumber(1, 10_000_000), 2000),
  epochs: v.optional(wholeNumber(1, 1_000_000), 20),
  optimizer: v.optional(oneOf(optimizers), "adam"),
  learningRate: v.optional(numberIn({ above: 0 })),
  schedule: v.optional(oneOf(schedules), "cosine"),
  labelSmoothing: v.optional(numberIn({ from: 0, below: 1 }), 0.1),
  scheduledSampling: v.optional(numberIn({ from: 0, to: 1 }), 0),
  measure: v.optional(oneOf(measures), "bleu"),
  ...runEntries<TranslationEvent>(),
} satisfies SchemasOf<TranslationOptions>);

export type ResolvedOptions = Omit<v.InferOutput<typeof schema>, "joint" | "learningRate"> & {
  joint: boolean;
  learningRate: number;
};

const where = "Translator.train";

const dependent: Dependent<v.InferOutput<typeof schema>> = [
  ["decay", "schedule", ["plateau"]],
  ["warmup", "schedule", ["cosine"]],
  ["minCount", "unit", ["word"]],
  ["sourceLanguage", "unit", ["word"]],
  ["targetLanguage", "unit", ["word"]],
];

/** The options, checked and with their defaults. */
export function checkTranslationOptions(options: TranslationOptions): ResolvedOptions {
  const checked = checkOptions(where, schema, options);
  checkDependent(where, checked, dependent);
  if (checked.unit === "char" && checked.vocabularySize !== undefined) {
    throw new OptionError(`${where}: vocabularySize is for bpe and words, got unit char`);
  }
  if (checked.unit === "char" && checked.lowercase) {
    throw new OptionError(`${where}: lowercase is for bpe and words, got unit char`);
  }
  const problem = problemOf(checked);
  if (problem) throw new OptionError(`${where}: ${problem}`);
  if (checked.maxLength >= checked.batchTokens) {
    throw new OptionError(
      `${where}: batchTokens must be above maxLength, ${checked.maxLength}, got ${checked.batchTokens}`,
    );
  }
  checkFolders(where, checked);
  if (checked.joint && (checked.sourceLanguage ?? checked.targetLanguage) !== undefined) {
    throw new OptionError(`${where}: joint is for tokens that do not depend on the language`);
  }
  const { joint = checked.unit === "bpe", learningRate = checked.optimizer === "sgd" ? 0.7 : 0.001 } =
    checked;
  return { ...checked, joint, learningRate };
}
