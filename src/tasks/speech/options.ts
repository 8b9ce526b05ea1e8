import * as v from "valibot";
import { OptionError } from "../../errors.ts";
import {
  checkOptions,
  numberIn,
  oneOf,
  recordOf,
  type SchemasOf,
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
import { alphabetUnits, featureKinds, normalizations, rateSchema, windowSchema } from "./config.ts";
import type { SpeechEvent } from "./events.ts";
import { splits } from "./layouts.ts";
import type { SpeechSource } from "./utterances.ts";

export const optimizers = ["sgd", "rmsprop", "adam", "adamw"] as const;
export const schedules = ["constant", "plateau", "cosine"] as const;
export const measures = ["cer", "wer", "loss"] as const;
export const losses = ["ctc", "expected"] as const;
export const errorRates = ["wer", "cer"] as const;

/** Everything `SpeechRecognizer.train` can be told. */
export interface SpeechOptions extends RunOptions<SpeechEvent> {
  /** What to validate on. Default: what the data set says, else `validFraction`. */
  valid?: SpeechSource;
  /**
   * The part of the utterances held out to validate on if nothing else is. Default 0.1. With 0 none are, and what would
   * otherwise be taken from a data set's own training part (AN4, FSDD, yesno) is learnt from.
   */
  validFraction?: number;
  /** Learn from strings of so many utterances, from and to, of one speaker, drawn at random. Default: as they are. */
  join?: readonly [from: number, to: number];
  /** Leave out utterances that cannot be used, instead of stopping at the first. Default false. */
  skipBad?: boolean;
  /**
   * A folder of a model to begin with: its weights, and its front end, labels and network, of which `dropout` alone may be
   * another. Default: begin anew.
   */
  initFrom?: string;
  /** What a label is: a character, the blank between words among them, or a word. Default "char". */
  unit?: (typeof alphabetUnits)[number];
  /** Transcripts in lower case. Default false. */
  lowercase?: boolean;

  /** What is extracted of the sound. Default "mel", or "sphinx" of files *.mfc. */
  features?: (typeof featureKinds)[number];
  /** Samples a second, to which all recordings are brought. Default: that of the first; of files *.mfc 16000. */
  sampleRate?: number;
  /** Mel filters. Default 40, of mfcc 23, of htk 26. */
  filters?: number;
  /** Cepstral coefficients. Default 13. */
  coefficients?: number;
  /** Where the filters begin and end, in Hz. Default: as the convention has it. */
  low?: number;
  high?: number;
  /** How often to append the vectors' regression coefficients. Default 0. */
  deltas?: number;
  /** Over what the vectors get mean 0 and deviation 1. Default "global", all that is trained on. */
  normalize?: (typeof normalizations)[number];
  /** Vectors that the network reads at a step. Default 2, of a convolution 5. */
  stack?: number;
  /** Vectors from one step to the next. Default: as `stack`, of a convolution 2. */
  stride?: number;

  /** Channels of a convolution over these vectors. Default: no convolution. */
  convolution?: number;
  /** Units of a level, in each direction. Default 128. */
  hiddenSize?: number;
  /** Levels. Default 3. */
  numLayers?: number;
  /** Whether levels read in both directions. Default true. */
  bidirectional?: boolean;
  /** Layer normalisation after each level. Default false. */
  layerNorm?: boolean;
  /** After each level. Default 0. */
  dropout?: number;

  /** How fast recordings are played, each at one of these, another in each epoch. Default 1 alone. */
  speeds?: readonly number[];
  /** SpecAugment: bands of up to so many features set to 0. Default 0 bands, of up to 8. */
  frequencyMasks?: number;
  frequencyWidth?: number;
  /** The same of time: stretches of up to so many vectors. Default 0 stretches, of up to 20. */
  timeMasks?: number;
  timeWidth?: number;

  /**
   * "ctc", or "expected": what a model that CTC has trained (`initFrom`) is trained with further, the errors that are to be
   * expected of its paths. Default "ctc".
   */
  loss?: (typeof losses)[number];
  /** Of "expected": paths drawn of each utterance. Default 5. */
  samples?: number;
  /** Of "expected": the error rate that is meant, of words or of labels. Default "wer". */
  expectedOf?: (typeof errorRates)[number];

  /** Utterances to a batch. Default 16. */
  batchSize?: number;
  /** Default 50. */
  epochs?: number;
  /** Default "adam". */
  optimizer?: (typeof optimizers)[number];
  /** Default 0.01 for sgd, 0.001 for the others. */
  learningRate?: number;
  /** How the learning rate changes. Default "constant". */
  schedule?: (typeof schedules)[number];
  /** Batches whose gradients are averaged for one update. Default 1. */
  accumulate?: number;
  /** What is best: the lowest character or word error rate, or the lowest loss of CTC. Default "cer", or `expectedOf`. */
  measure?: (typeof measures)[number];
}

const few = wholeNumber(0, 1000);

const source = v.union(
  [pathSchema, recordOf({ path: pathSchema, split: v.optional(oneOf(splits)) })],
  'must be the path of a manifest or folder, or { path, split: "…" }',
);

export const joinSchema = v.pipe(
  v.tuple([wholeNumber(1, 1000), wholeNumber(1, 1000)], "must be two whole numbers, from and to"),
  v.check(([from, to]) => from <= to, "must not go from more to fewer"),
);

const schema = recordOf({
  valid: v.optional(source),
  validFraction: v.optional(numberIn({ from: 0, to: 0.5 }), 0.1),
  join: v.optional(joinSchema),
  skipBad: v.optional(trueOrFalse(), false),
  initFrom: v.optional(pathSchema),
  unit: v.optional(oneOf(alphabetUnits), "char"),
  lowercase: v.optional(trueOrFalse(), false),

  features: v.optional(oneOf(featureKinds)),
  sampleRate: v.optional(rateSchema),
  filters: v.optional(wholeNumber(1, 512)),
  coefficients: v.optional(wholeNumber(1, 512)),
  low: v.optional(numberIn({ from: 0 })),
  high: v.optional(numberIn({ above: 0 })),
  deltas: v.optional(wholeNumber(0, 2), 0),
  normalize: v.optional(oneOf(normalizations), "global"),
  stack: v.optional(windowSchema),
  stride: v.optional(windowSchema),

  convolution: v.optional(wholeNumber(1, 65_536)),
  hiddenSize: v.optional(wholeNumber(1, 65_536), 128),
  numLayers: v.optional(wholeNumber(1, 64), 3),
  bidirectional: v.optional(trueOrFalse(), true),
  layerNorm: v.optional(trueOrFalse(), false),
  dropout: v.optional(numberIn({ from: 0, below: 1 }), 0),

  speeds: v.optional(
    v.pipe(
      v.array(numberIn({ from: 0.5, to: 2 }), "must be an array of numbers"),
      v.minLength(1, "must have one"),
    ),
    [1],
  ),
  frequencyMasks: v.optional(few, 0),
  frequencyWidth: v.optional(few, 8),
  timeMasks: v.optional(few, 0),
  timeWidth: v.optional(few, 20),

  loss: v.optional(oneOf(losses), "ctc"),
  samples: v.optional(wholeNumber(1, 1000)),
  expectedOf: v.optional(oneOf(errorRates)),

  batchSize: v.optional(wholeNumber(1, 65_536), 16),
  epochs: v.optional(wholeNumber(1, 1_000_000), 50),
  optimizer: v.optional(oneOf(optimizers), "adam"),
  learningRate: v.optional(numberIn({ above: 0 })),
  schedule: v.optional(oneOf(schedules), "constant"),
  accumulate: v.optional(wholeNumber(1, 65_536), 1),
  measure: v.optional(oneOf(measures)),
  ...runEntries<SpeechEvent>(),
} satisfies SchemasOf<SpeechOptions>);

type Checked = v.InferOutput<typeof schema>;
type Settled = "stack" | "stride" | "learningRate" | "measure";
export type ResolvedOptions = Omit<Checked, Settled> & { [K in Settled]: NonNullable<Checked[K]> };

const where = "SpeechRecognizer.train";

const dependent: Dependent<Checked> = [
  ["samples", "loss", ["expected"]],
  ["expectedOf", "loss", ["expected"]],
  ["decay", "schedule", ["plateau"]],
  ["warmup", "schedule", ["cosine"]],
];

/** The options, checked and with their defaults. */
export function checkSpeechOptions(options: SpeechOptions): ResolvedOptions {
  const checked = checkOptions(where, schema, options);
  checkDependent(where, checked, dependent);
  checkFolders(where, checked);
  const convolves = checked.convolution !== undefined;
  const { stack = convolves ? 5 : 2, stride = convolves ? 2 : stack, optimizer } = checked;
  if (stride > stack) {
    throw new OptionError(
      `${where}: stride must be at most stack, ${stack}, so that nothing is left out, got ${stride}`,
    );
  }
  const { learningRate = optimizer === "sgd" ? 0.01 : 0.001 } = checked;
  const { measure = checked.expectedOf ?? (checked.loss === "expected" ? "wer" : "cer") } = checked;
  if (checked.loss === "expected") checkExpected(checked);
  return { ...checked, stack, stride, learningRate, measure };
}

function checkExpected({ initFrom, unit, expectedOf }: Checked): void {
  if (initFrom === undefined) {
    throw new OptionError(`${where}: loss expected needs initFrom, a model that was trained with ctc`, {
      hint: "of a network that knows nothing all paths are wrong: it would learn nothing",
    });
  }
  if (unit === "word" && expectedOf === "cer") {
    throw new OptionError(`${where}: expectedOf must be wer for labels that are words, got cer`);
  }
}
