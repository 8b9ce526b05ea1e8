import { FormatError } from "../../errors.ts";
import { type ModelSource, modelFile, readModel } from "../../io/model-folder.ts";
import { loadWeights } from "../load-weights.ts";
import { readConfig, type TranslationConfig } from "./config.ts";
import { type Languages, languagesFromJSON } from "./languages.ts";
import { countParameters, TranslationNetwork } from "./network.ts";

/** What a translator is made of; a `Translator` is one. */
export interface TranslationParts {
  readonly network: TranslationNetwork;
  readonly languages: Languages;
  readonly config: TranslationConfig;
}

/** Reads a model's files, trusting nothing in them. */
export async function loadTranslation(folder: ModelSource): Promise<TranslationParts> {
  const { config: json, weights, tokenizer } = await readModel(folder);
  const config = readConfig(json, modelFile(folder, "config"));
  const file = modelFile(folder, "tokenizer");
  const languages = await languagesFromJSON(tokenizer, file);
  const { network: shape, joint } = config;
  for (const [language, expected] of [
    ["source", shape.sourceVocabulary],
    ["target", shape.targetVocabulary],
  ] as const) {
    const { size } = languages[language];
    if (size + 1 === expected) continue;
    throw new FormatError(
      `${file}: ${language} must have ${expected - 1} tokens, as config.json says, got ${size}`,
    );
  }
  const network = loadWeights(weights, modelFile(folder, "weights"), {
    parameters: countParameters(shape, joint),
    make: () => new TranslationNetwork(shape, { joint }),
  });
  return { network, languages, config };
}
