import * as v from "valibot";
import { FormatError } from "../../errors.ts";
import {
  checkContent,
  formatVersion,
  numberIn,
  oneOf,
  recordOf,
  trueOrFalse,
  wholeNumber,
} from "../../options.ts";
import { cells, MAX_DIRECT, MAX_ORDER, nonlinearities } from "./choices.ts";

/** The version of config.json that is written. */
const CONFIG_VERSION = 1;

const MAX_SIZE = 2 ** 20;
const probability = numberIn({ from: 0, below: 1 });

/** What the network is. */
const network = recordOf({
  vocabularySize: wholeNumber(1, MAX_SIZE),
  embeddingSize: wholeNumber(1, MAX_SIZE),
  cell: oneOf(cells),
  /** Of cell rnn alone. */
  nonlinearity: v.optional(oneOf(nonlinearities)),
  hiddenSize: wholeNumber(1, MAX_SIZE),
  numLayers: wholeNumber(1, 64),
  dropout: probability,
  variationalDropout: v.optional(trueOrFalse()),
  weightDrop: v.optional(probability),
  /** Of h, and of an LSTM's c. */
  zoneout: v.optional(probability),
  zoneoutCell: v.optional(probability),
  tieWeights: trueOrFalse(),
  /** The first word of each class, where the output is one of classes. */
  classes: v.optional(v.pipe(v.array(wholeNumber(0, MAX_SIZE)), v.minLength(1, "must have a class"))),
  /** The first word of each cluster but the first, where the output is an adaptive softmax. */
  cutoffs: v.optional(v.pipe(v.array(wholeNumber(1, MAX_SIZE)), v.minLength(1, "must have a word"))),
  /** Width of the layer between the last recurrent one and the output. */
  compression: v.optional(wholeNumber(1, MAX_SIZE)),
  /** Weights of the direct connections, and their longest n-grams. */
  direct: v.optional(wholeNumber(1, MAX_DIRECT)),
  directOrder: v.optional(wholeNumber(1, MAX_ORDER)),
  /** Whether a second stack of layers reads each sentence from its end: for gaps, which both sides tell of. */
  bidirectional: v.optional(trueOrFalse()),
  /** The token before which the state is forgotten: sentences are independent. */
  resetAt: v.optional(wholeNumber(0, MAX_SIZE)),
});

export type NetworkConfig = v.InferOutput<typeof network>;

const config = recordOf({
  formatVersion: formatVersion(CONFIG_VERSION),
  task: v.literal("language-model", ({ input }) => `must be "language-model", got ${JSON.stringify(input)}`),
  network,
  /** The options it was trained with, for the record. */
  training: v.optional(v.record(v.string(), v.unknown())),
});

/** What config.json holds. */
export type LanguageModelConfig = v.InferOutput<typeof config>;

export function makeConfig(
  network: NetworkConfig,
  training: Record<string, unknown> | undefined,
): LanguageModelConfig {
  return { formatVersion: CONFIG_VERSION, task: "language-model", network, ...(training && { training }) };
}

export function readConfig(json: unknown, file: string): LanguageModelConfig {
  const checked = checkContent(file, config, json);
  const { tieWeights, embeddingSize, hiddenSize, compression, bidirectional, resetAt } = checked.network;
  const only = ["classes", "cutoffs", "compression", "direct"].find((name) => name in checked.network);
  if (bidirectional && (tieWeights || only || resetAt === undefined)) {
    throw new FormatError(
      `${file}: network.bidirectional goes with resetAt and not with ${only ?? "tieWeights"}`,
    );
  }
  const { cutoffs, classes, vocabularySize } = checked.network;
  if (cutoffs && (tieWeights || classes || !ascending(cutoffs, vocabularySize))) {
    throw new FormatError(
      `${file}: network.cutoffs must ascend below vocabularySize, and go with neither classes nor tieWeights`,
    );
  }
  if (tieWeights && embeddingSize !== (compression ?? hiddenSize)) {
    throw new FormatError(
      `${file}: network.tieWeights needs embeddingSize = hiddenSize, got ${embeddingSize} and ${compression ?? hiddenSize}`,
    );
  }
  return checked;
}

/** Whether these words can begin the clusters of a vocabulary. */
export function ascending(cutoffs: readonly number[], vocabularySize: number): boolean {
  return [...cutoffs, vocabularySize].every((word, k) => word > (cutoffs[k - 1] ?? 0));
}
