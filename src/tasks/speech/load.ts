import type { FeatureStatistics } from "../../data/audio/normalize.ts";
import { FormatError } from "../../errors.ts";
import { joinPath, type Location } from "../../io/files.ts";
import { modelFiles, readModelWithoutText } from "../../io/model-folder.ts";
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
  const numbers = [...weights.values()].reduce((sum, { size }) => sum + size, 0);
  const expected = countParameters(config.network);
  if (numbers !== expected) {
    throw new FormatError(
      `${file}: has ${numbers} numbers, but ${modelFiles.config} describes a network of ${expected}`,
    );
  }
  const network = new SpeechNetwork(config.network);
  try {
    network.loadStateDict(weights);
  } catch (cause) {
    throw new FormatError(`${file}: ${(cause as Error).message}`, { cause });
  }
  const frontEnd = new FrontEnd(config.frontEnd);
  return { network, frontEnd, alphabet: new Alphabet(config.unit, config.labels), config };
}
