import { openTraining, recordOptions, type Start, startRules } from "../start.ts";
import { readConfig } from "./config.ts";
import { FrontEnd } from "./front-end.ts";
import { checkSpeechOptions, type ResolvedOptions, type SpeechOptions } from "./options.ts";

const rules = startRules("SpeechRecognizer.train");

export const forTheRecord = (options: ResolvedOptions) => recordOptions(options, rules);

export function openSpeech(given: SpeechOptions): Promise<Start<ResolvedOptions>> {
  return openTraining(given, rules, {
    check: checkSpeechOptions,
    recorded: (json, file) => readConfig(json, file, (frontEnd) => new FrontEnd(frontEnd).inputSize).training,
  });
}
