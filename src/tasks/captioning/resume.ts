import { openTraining, recordOptions, type Start, startRules } from "../start.ts";
import { readConfig } from "./config.ts";
import { type CaptioningOptions, checkCaptioningOptions, type ResolvedOptions } from "./options.ts";

const rules = startRules("ImageCaptioner.train");

export const forTheRecord = (options: ResolvedOptions) => recordOptions(options, rules);

export function openCaptioning(given: CaptioningOptions): Promise<Start<ResolvedOptions>> {
  return openTraining(given, rules, {
    check: checkCaptioningOptions,
    recorded: (json, file) => readConfig(json, file).training,
  });
}
