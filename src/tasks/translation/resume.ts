import { openTraining, recordOptions, type Start } from "../start.ts";
import { readConfig } from "./config.ts";
import { checkTranslationOptions, type ResolvedOptions, type TranslationOptions } from "./options.ts";

const rules = {
  where: "Translator.train",
  ofOneStart: [
    "onProgress",
    "signal",
    "valid",
    "out",
    "resume",
    "logDir",
    "log",
    "logEvery",
  ] satisfies (keyof TranslationOptions)[],
  mayChange: ["epochs", "maxSteps", "patience", "threads", "checkpointEvery"],
};

export const forTheRecord = (options: ResolvedOptions) => recordOptions(options, rules);

export function openTranslation(given: TranslationOptions): Promise<Start<ResolvedOptions>> {
  return openTraining(given, rules, {
    check: checkTranslationOptions,
    recorded: (json, file) => readConfig(json, file).training,
  });
}
