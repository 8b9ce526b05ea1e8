import { openTraining, recordOptions, type Start, startRules } from "../start.ts";
import { readConfig } from "./config.ts";
import { checkTranslationOptions, type ResolvedOptions, type TranslationOptions } from "./options.ts";

const rules = startRules("Translator.train");

export const forTheRecord = (options: ResolvedOptions) => recordOptions(options, rules);

export function openTranslation(given: TranslationOptions): Promise<Start<ResolvedOptions>> {
  return openTraining(given, rules, {
    check: checkTranslationOptions,
    recorded: (json, file) => readConfig(json, file).training,
  });
}
