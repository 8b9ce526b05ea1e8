import { openTraining, recordOptions, type Start } from "../start.ts";
import { readConfig } from "./config.ts";
import { FrontEnd } from "./front-end.ts";
import { checkSpeechOptions, type ResolvedOptions, type SpeechOptions } from "./options.ts";

const rules = {
  where: "SpeechRecognizer.train",
  ofOneStart: [
    "onProgress",
    "signal",
    "valid",
    "out",
    "resume",
    "logDir",
    "log",
    "logEvery",
  ] satisfies (keyof SpeechOptions)[],
  mayChange: ["epochs", "maxSteps", "patience", "threads", "checkpointEvery"],
};

export const forTheRecord = (options: ResolvedOptions) => recordOptions(options, rules);

export function openSpeech(given: SpeechOptions): Promise<Start<ResolvedOptions>> {
  return openTraining(given, rules, {
    check: checkSpeechOptions,
    recorded: (json, file) => readConfig(json, file, (frontEnd) => new FrontEnd(frontEnd).inputSize).training,
  });
}
