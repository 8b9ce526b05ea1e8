import type { FeatureStatistics } from "../../data/audio/normalize.ts";
import { joinPath, type Location } from "../../io/files.ts";
import { modelFiles, readModelWithoutText } from "../../io/model-folder.ts";
import { loadWeights } from "../load-weights.ts";
import { Alphabet } from "./alphabet.ts";
import { readConfig, type SpeechConfig } from "./config.ts";
import { FrontEnd } from "./front-end.ts";
import { countParameters, SpeechNetwork } from "./network.ts";

/** What a recogniser is made of; a `SpeechRecognizer` is one. */
export interface SpeechParts {
  readonly network: SpeechNetwork;
  readonly frontEnd: FrontEnd;
  readonly alphabet: Alphabet;
  readonly config: SpeechConfig & { statistics?: FeatureStatistics | undefined };
}

/** Reads a model's files, trusting nothing in them. */
export async function loadSpeech(folder: Location): Promise<SpeechParts> {
  const { config: json, weights } = await readModelWithoutText(folder);
  const gives = (frontEnd: SpeechConfig["frontEnd"]) => new FrontEnd(frontEnd).inputSize;
  const config = readConfig(json, String(joinPath(folder, modelFiles.config)), gives);
  const file = String(joinPath(folder, modelFiles.weights));
  const network = loadWeights(weights, file, {
    parameters: countParameters(config.network),
    make: () => new SpeechNetwork(config.network),
  });
  const frontEnd = new FrontEnd(config.frontEnd);
  return { network, frontEnd, alphabet: new Alphabet(config.unit, config.labels), config };
}
