import * as v from "valibot";
import { FormatError } from "../../errors.ts";
import { attentionScores } from "../../nn/attention.ts";
import {
  checkContent,
  formatVersion,
  numberIn,
  oneOf,
  recordOf,
  trueOrFalse,
  wholeNumber,
} from "../../options.ts";

/** The version of config.json that is written. */
const CONFIG_VERSION = 1;

export const cells = ["lstm", "gru"] as const;
export const attentions = ["none", ...attentionScores] as const;
export const decoders = ["plain", "context", "input-feeding", "conditional"] as const;
export const units = ["char", "word", "bpe"] as const;

const size = wholeNumber(1, 65_536);
const vocabulary = wholeNumber(2, 2 ** 24);

const network = recordOf({
  cell: oneOf(cells),
  /** Tokens of each language, and the boundary of sentences before them. */
  sourceVocabulary: vocabulary,
  targetVocabulary: vocabulary,
  embeddingSize: size,
  hiddenSize: size,
  numLayers: wholeNumber(1, 64),
  /** Of the encoder: each direction has half of the units. */
  bidirectional: trueOrFalse(),
  attention: oneOf(attentions),
  /** What a step of the decoder reads besides its token. */
  decoder: v.optional(oneOf(decoders), "plain"),
  dropout: numberIn({ from: 0, below: 1 }),
  /** The output's weights are those of the target's embedding; and of the source's, where the languages share tokens. */
  tieWeights: trueOrFalse(),
});

export type NetworkConfig = v.InferOutput<typeof network>;

const config = recordOf({
  formatVersion: formatVersion(CONFIG_VERSION),
  task: v.literal("translation", ({ input }) => `must be "translation", got ${JSON.stringify(input)}`),
  unit: oneOf(units),
  lowercase: trueOrFalse(),
  /** Whether both languages have the same tokens. */
  joint: trueOrFalse(),
  /** Whether the source is read from its end (Sutskever et al. 2014, §3.3). */
  reverseSource: trueOrFalse(),
  /** The most tokens of a sentence. */
  maxLength: wholeNumber(1, 100_000),
  network,
  /** The options it was trained with, for the record. */
  training: v.optional(v.record(v.string(), v.unknown())),
});

/** What config.json holds. */
export type TranslationConfig = v.InferOutput<typeof config>;

export function makeConfig(parts: Omit<TranslationConfig, "formatVersion" | "task">): TranslationConfig {
  return { formatVersion: CONFIG_VERSION, task: "translation", ...parts };
}

/** Reads config.json; its parts must fit each other. */
export function readConfig(json: unknown, file: string): TranslationConfig {
  const checked = checkContent(file, config, json);
  const { network, joint } = checked;
  const problem = problemOf(network) ?? (joint && problemOfJoint(network));
  if (problem) throw new FormatError(`${file}: network.${problem}`);
  return checked;
}

/** What cannot be in such a network, if anything. */
export function problemOf(
  network: Pick<NetworkConfig, "bidirectional" | "hiddenSize" | "attention" | "decoder" | "numLayers">,
): string | undefined {
  const { bidirectional, hiddenSize, attention, decoder, numLayers } = network;
  if (bidirectional && hiddenSize % 2 === 1) {
    return `hiddenSize must be even for an encoder that reads both ways, got ${hiddenSize}`;
  }
  if (decoder === "context" && attention !== "none") {
    return `attention must be none for decoder context, whose context is the source's last state, got ${attention}`;
  }
  if ((decoder === "input-feeding" || decoder === "conditional") && attention === "none") {
    return `attention must be dot, general or additive for decoder ${decoder}, got none`;
  }
  if (decoder === "conditional" && numLayers > 1) {
    return `numLayers must be 1 for decoder conditional, got ${numLayers}`;
  }
  return undefined;
}

function problemOfJoint({ sourceVocabulary, targetVocabulary }: NetworkConfig): string | undefined {
  if (sourceVocabulary === targetVocabulary) return undefined;
  return `sourceVocabulary must be targetVocabulary, ${targetVocabulary}, where tokens are shared, got ${sourceVocabulary}`;
}
