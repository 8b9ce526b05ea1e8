import * as v from "valibot";
import type { FeatureStatistics } from "../../data/audio/normalize.ts";
import { FormatError } from "../../errors.ts";
import {
  checkContent,
  formatVersion,
  numberIn,
  oneOf,
  recordOf,
  text,
  trueOrFalse,
  wholeNumber,
} from "../../options.ts";

/** The version of config.json that is written. */
const CONFIG_VERSION = 1;

/** mel: log-mel energies and mfcc their cepstra as Kaldi, htk and sphinx cepstra as those, spectrogram: log-energies. */
export const featureKinds = ["mel", "mfcc", "htk", "sphinx", "spectrogram"] as const;
export const normalizations = ["global", "speaker", "utterance", "none"] as const;
export const alphabetUnits = ["char", "word"] as const;

export const rateSchema = wholeNumber(1000, 384_000);
export const windowSchema = wholeNumber(1, 64);

const frontEnd = recordOf({
  features: oneOf(featureKinds),
  sampleRate: rateSchema,
  filters: v.optional(wholeNumber(1, 512)),
  coefficients: v.optional(wholeNumber(1, 512)),
  low: v.optional(numberIn({ from: 0 })),
  high: v.optional(numberIn({ above: 0 })),
  deltas: wholeNumber(0, 2),
  normalize: oneOf(normalizations),
  stack: windowSchema,
  stride: windowSchema,
});

/** How a recording becomes what the network reads. */
export type FrontEndConfig = v.InferOutput<typeof frontEnd>;

const network = recordOf({
  inputSize: wholeNumber(1, 2 ** 20),
  /** Channels of the convolution over the windows. */
  convolution: v.optional(wholeNumber(1, 65_536)),
  hiddenSize: wholeNumber(1, 65_536),
  numLayers: wholeNumber(1, 64),
  bidirectional: trueOrFalse(),
  layerNorm: trueOrFalse(),
  dropout: numberIn({ from: 0, below: 1 }),
  classes: wholeNumber(2, 2 ** 20),
});

export type NetworkConfig = v.InferOutput<typeof network>;

const numbers = v.array(numberIn({}), "must be an array of numbers");

const config = recordOf({
  formatVersion: formatVersion(CONFIG_VERSION),
  task: v.literal("speech", ({ input }) => `must be "speech", got ${JSON.stringify(input)}`),
  frontEnd,
  /** Of all vectors that it was trained on, where normalisation is global. */
  statistics: v.optional(recordOf({ mean: numbers, deviation: numbers })),
  unit: oneOf(alphabetUnits),
  lowercase: trueOrFalse(),
  /** What the classes are; the first, the blank, is "". */
  labels: v.array(text(), "must be an array of strings"),
  network,
  /** The options it was trained with, for the record. */
  training: v.optional(v.record(v.string(), v.unknown())),
});

/** What config.json holds. */
export type SpeechConfig = v.InferOutput<typeof config>;

export function makeConfig(
  parts: Pick<SpeechConfig, "frontEnd" | "unit" | "lowercase" | "labels" | "network" | "training"> & {
    statistics: FeatureStatistics | undefined;
  },
): SpeechConfig {
  const { statistics, ...rest } = parts;
  return { formatVersion: CONFIG_VERSION, task: "speech", ...rest, ...(statistics && { statistics }) };
}

/** Reads config.json; its parts must fit each other, and the front end what it says it gives. */
export function readConfig(
  json: unknown,
  file: string,
  inputSize: (config: FrontEndConfig) => number,
): SpeechConfig {
  const checked = checkContent(file, config, json);
  const { labels, network, statistics, frontEnd } = checked;
  const problem = (message: string) => new FormatError(`${file}: ${message}`);
  if (labels.length !== network.classes || labels[0] !== "") {
    throw problem(`labels must be the blank "" and ${network.classes - 1} others, got ${labels.length}`);
  }
  if (new Set(labels).size < labels.length) throw problem("labels must differ from each other");
  const gives = sizeOf(frontEnd, inputSize, problem);
  if (network.inputSize !== gives) {
    throw problem(`network.inputSize must be ${gives}, as the front end gives, got ${network.inputSize}`);
  }
  const width = gives / frontEnd.stack;
  if (statistics === undefined && frontEnd.normalize === "global") {
    throw problem('statistics must be there with normalize "global", got none');
  }
  if (statistics && frontEnd.normalize !== "global") {
    throw problem(`statistics are for normalize "global", got ${frontEnd.normalize}`);
  }
  for (const [name, list] of Object.entries(statistics ?? {})) {
    if (list.length !== width)
      throw problem(`statistics.${name} must have ${width} numbers, got ${list.length}`);
  }
  return checked;
}

/** A front end that cannot be is the file's fault. */
function sizeOf(
  frontEnd: FrontEndConfig,
  inputSize: (config: FrontEndConfig) => number,
  problem: (message: string) => FormatError,
): number {
  try {
    return inputSize(frontEnd);
  } catch (cause) {
    throw problem(`frontEnd: ${(cause as Error).message}`);
  }
}
