import { tokenizerFromJSON } from "../../data/text/tokenizer-json.ts";
import { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { FormatError } from "../../errors.ts";
import { type ModelSource, modelFile, readModel } from "../../io/model-folder.ts";
import { loadWeights } from "../load-weights.ts";
import { type CaptioningConfig, readConfig } from "./config.ts";
import { CaptioningNetwork, countParameters } from "./network.ts";

/** What a captioner is made of; an `ImageCaptioner` is one. */
export interface CaptioningParts {
  readonly network: CaptioningNetwork;
  readonly words: WordTokenizer;
  readonly config: CaptioningConfig;
}

/** Reads a model's files, trusting nothing in them. */
export async function loadCaptioning(folder: ModelSource): Promise<CaptioningParts> {
  const { config: json, weights, tokenizer } = await readModel(folder);
  const config = readConfig(json, modelFile(folder, "config"));
  const file = modelFile(folder, "tokenizer");
  const words = await tokenizerFromJSON(tokenizer, file);
  if (!(words instanceof WordTokenizer))
    throw new FormatError(`${file}: unit must be word, got ${words.unit}`);
  const { vocabulary } = config.network;
  if (words.size + 1 !== vocabulary) {
    throw new FormatError(
      `${file}: must have ${vocabulary - 1} words, as config.json says, got ${words.size}`,
    );
  }
  const network = loadWeights(weights, modelFile(folder, "weights"), {
    parameters: countParameters(config.network),
    make: () => new CaptioningNetwork(config.network),
  });
  return { network, words, config };
}
