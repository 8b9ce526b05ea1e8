import * as v from "valibot";
import { OptionError } from "../../errors.ts";
import {
  checkOptions,
  functionOf,
  numberIn,
  oneOf,
  recordOf,
  type SchemasOf,
  text,
  trueOrFalse,
  wholeNumber,
} from "../../options.ts";
import type { LogFormatName } from "../../training/logs/run-log.ts";
import { alphabetUnits, featureKinds, normalizations, rateSchema, windowSchema } from "./config.ts";
import type { SpeechEvent } from "./events.ts";
import { splits } from "./layouts.ts";
import type { SpeechSource } from "./utterances.ts";

export const optimizers = ["sgd", "rmsprop", "adam", "adamw"] as const;
export const schedules = ["constant", "plateau", "cosine"] as const;
export const measures = ["cer", "wer", "loss"] as const;
const logFormats = ["csv", "tensorboard"] as const satisfies readonly LogFormatName[];

/** Everything `SpeechRecognizer.train` can be told. */
export interface SpeechOptions {
  /** What to validate on. Default: what the data set says, else `validFraction`. */
  valid?: SpeechSource;
  /** The part of the utterances held out to validate on if nothing else is; 0 for none. Default 0.1. */
  validFraction?: number;
  /** Learn from strings of so many utterances, from and to, of one speaker, drawn at random. Default: as they are. */
  join?: readonly [from: number, to: number];
  /** Leave out utterances that cannot be used, instead of stopping at the first. Default false. */
  skipBad?: boolean;
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

  /** Utterances to a batch. Default 16. */
  batchSize?: number;
  /** Default 50. */
  epochs?: number;
  /** The most updates. Default: as many as the epochs have. */
  maxSteps?: number;
  /** Default "adam". */
  optimizer?: (typeof optimizers)[number];
  /** Default 0.01 for sgd, 0.001 for the others. */
  learningRate?: number;
  /** L2; decoupled for adamw. Default 0. */
  weightDecay?: number;
  /** How the learning rate changes. Default "constant". */
  schedule?: (typeof schedules)[number];
  /** Of schedule "plateau": what the rate is multiplied by. Default 0.5. */
  decay?: number;
  /** Of schedule "cosine": updates over which the rate rises from 0. Default 0. */
  warmup?: number;
  /** The gradient's norm is scaled down to this. Default 1. */
  clip?: number;
  /** Batches whose gradients are averaged for one update. Default 1. */
  accumulate?: number;
  /** What is best: the lowest character or word error rate, or the lowest loss. Default "cer". */
  measure?: (typeof measures)[number];
  /** Updates between validations. Default: one validation an epoch. */
  validateEvery?: number;
  /** Stop after this many validations that brought nothing better. Default: never. */
  patience?: number;
  /** Validate, and keep as the best, a moving average of the weights with this decay. Default: none. */
  ema?: number;
  /** Default 1. */
  seed?: number;
  /** Default: one for each processor. The result is the same for any number. */
  threads?: number;

  /** A new or empty folder for the model, its checkpoints and what a resume needs. Default: nothing is written. */
  out?: string;
  /** Goes on with the training in `out` where it stopped, with its options; begins if there is none. Default false. */
  resume?: boolean;
  /** Updates between checkpoints, besides the one after each validation. Default: no others. */
  checkpointEvery?: number;
  /** Where the training is logged, one event a line in events.jsonl. Default: training/logs in `out`. */
  logDir?: string;
  /** What the log is written as besides. Default: nothing. */
  log?: readonly (typeof logFormats)[number][];
  /** Updates between step events. Default: as many as there are in half a second. */
  logEvery?: number;
  onProgress?: (event: SpeechEvent) => void;
  /** Ends the training early, as `patience` does: the model is the best so far. */
  signal?: AbortSignal;
}

const MAX_COUNT = 2 ** 31 - 1;
const path = v.pipe(text(), v.nonEmpty("must not be empty"));
const count = wholeNumber(1, MAX_COUNT);
const few = wholeNumber(0, 1000);

const source = v.union(
  [path, recordOf({ path, split: v.optional(oneOf(splits)) })],
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

  batchSize: v.optional(wholeNumber(1, 65_536), 16),
  epochs: v.optional(wholeNumber(1, 1_000_000), 50),
  maxSteps: v.optional(count),
  optimizer: v.optional(oneOf(optimizers), "adam"),
  learningRate: v.optional(numberIn({ above: 0 })),
  weightDecay: v.optional(numberIn({ from: 0 }), 0),
  schedule: v.optional(oneOf(schedules), "constant"),
  decay: v.optional(numberIn({ above: 0, to: 1 })),
  warmup: v.optional(wholeNumber(0, MAX_COUNT)),
  clip: v.optional(numberIn({ above: 0 }), 1),
  accumulate: v.optional(wholeNumber(1, 65_536), 1),
  measure: v.optional(oneOf(measures), "cer"),
  validateEvery: v.optional(count),
  patience: v.optional(wholeNumber(1, 1_000_000)),
  ema: v.optional(numberIn({ from: 0, below: 1 })),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
  threads: v.optional(wholeNumber(1, 256)),

  out: v.optional(path),
  resume: v.optional(trueOrFalse(), false),
  checkpointEvery: v.optional(count),
  logDir: v.optional(path),
  log: v.optional(v.array(oneOf(logFormats), `must be an array of ${logFormats.join(", ")}`)),
  logEvery: v.optional(count),
  onProgress: v.optional(functionOf<(event: SpeechEvent) => void>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<SpeechOptions>);

export type ResolvedOptions = Omit<v.InferOutput<typeof schema>, "stack" | "stride" | "learningRate"> & {
  stack: number;
  stride: number;
  learningRate: number;
};

const where = "SpeechRecognizer.train";

/** The options, checked and with their defaults. */
export function checkSpeechOptions(options: SpeechOptions): ResolvedOptions {
  const checked = checkOptions(where, schema, options);
  for (const [name, schedule] of [
    ["decay", "plateau"],
    ["warmup", "cosine"],
  ] as const) {
    if (checked[name] === undefined || checked.schedule === schedule) continue;
    throw new OptionError(`${where}: ${name} is for schedule ${schedule}, got schedule ${checked.schedule}`);
  }
  if (checked.log && checked.logDir === undefined && checked.out === undefined) {
    throw new OptionError(`${where}: log needs a folder to write into: out or logDir`);
  }
  for (const name of ["resume", "checkpointEvery"] as const) {
    if (checked[name] && checked.out === undefined) {
      throw new OptionError(`${where}: ${name} needs an \`out\``);
    }
  }
  const convolves = checked.convolution !== undefined;
  const { stack = convolves ? 5 : 2, stride = convolves ? 2 : stack, optimizer } = checked;
  if (stride > stack) {
    throw new OptionError(
      `${where}: stride must be at most stack, ${stack}, so that nothing is left out, got ${stride}`,
    );
  }
  const { learningRate = optimizer === "sgd" ? 0.01 : 0.001 } = checked;
  return { ...checked, stack, stride, learningRate };
}
