import * as v from "valibot";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { tokenizerFromJSON } from "../../data/text/tokenizer-json.ts";
import { FormatError } from "../../errors.ts";
import {
  type ModelFiles,
  type ModelSource,
  modelFile,
  modelFiles,
  readModel,
} from "../../io/model-folder.ts";
import { type WeightPrecision, weightPrecisions } from "../../nn/int8.ts";
import { checkOptions, oneOf, recordOf, type SchemasOf } from "../../options.ts";
import { loadWeights } from "../load-weights.ts";
import { type LanguageModelConfig, readConfig } from "./config.ts";
import { countParameters, LanguageModelNetwork, prepareNetwork } from "./network.ts";

export interface LoadOptions {
  /** What the weight matrices are kept as: "int8" for a model that is used and not trained. Default "float32". */
  weights?: WeightPrecision;
}

const loadSchema = recordOf({
  weights: v.optional(oneOf(weightPrecisions), "float32"),
} satisfies SchemasOf<LoadOptions>);

export function checkLoadOptions(where: string, options: LoadOptions) {
  return checkOptions(where, loadSchema, options);
}

/** What a language model is made of; a `LanguageModel` is one. */
export interface LanguageModelParts {
  readonly network: LanguageModelNetwork;
  readonly tokenizer: Tokenizer;
  readonly config: LanguageModelConfig;
}

/** Reads a model's files, trusting nothing in them. */
export async function loadLanguageModel(source: ModelSource): Promise<LanguageModelParts> {
  const { config: configJson, tokenizer: tokenizerJson, weights } = await readModel(source);
  const file = (name: keyof ModelFiles) => modelFile(source, name);
  const config = readConfig(configJson, file("config"));
  const tokenizer = await tokenizerFromJSON(tokenizerJson, file("tokenizer"));
  const { vocabularySize } = config.network;
  if (tokenizer.size !== vocabularySize) {
    throw new FormatError(
      `${file("tokenizer")}: has ${tokenizer.size} tokens, but ${modelFiles.config} says vocabularySize ${vocabularySize}`,
    );
  }
  await prepareNetwork(config.network);
  const network = loadWeights(weights, file("weights"), {
    parameters: countParameters(config.network),
    make: () => new LanguageModelNetwork(config.network),
  });
  return { network, tokenizer, config };
}
