import { joinPath, listFolder } from "../../io/files.ts";
import { readJsonFile } from "../../io/json-file.ts";
import { MAX_CONFIG, modelFiles } from "../../io/model-folder.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { openTraining, recordOptions, type Start, startRules } from "../start.ts";
import { readConfig } from "./config.ts";
import { FrontEnd } from "./front-end.ts";
import { type InitialSettings, withModelSettings } from "./initialise.ts";
import { loadSpeech } from "./load.ts";
import { checkSpeechOptions, type ResolvedOptions, type SpeechOptions } from "./options.ts";

const rules = startRules("SpeechRecognizer.train");

export const forTheRecord = (options: ResolvedOptions) => recordOptions(options, rules);

/** How a training begins, or goes on; with `initFrom` as that model is. */
export interface SpeechStart extends Start<ResolvedOptions> {
  settings?: InitialSettings;
  weights?: ReadonlyMap<string, Tensor>;
}

const configOf = (json: unknown, file: string) =>
  readConfig(json, file, (frontEnd) => new FrontEnd(frontEnd).inputSize);

export async function openSpeech(given: SpeechOptions): Promise<SpeechStart> {
  const { initFrom, out, resume } = given;
  // A training that goes on has a record of what it took over.
  const recorded = resume && typeof out === "string" && (await listFolder(out)).includes(modelFiles.config);
  const checked = typeof initFrom === "string" && initFrom !== "" && !recorded;
  const settled = checked ? withModelSettings(given, (await loadSpeech(initFrom)).config) : given;
  const start = await openTraining(settled, rules, {
    check: checkSpeechOptions,
    recorded: (json, file) => configOf(json, file).training,
  });
  try {
    return { ...start, ...(await takenOver(start)) };
  } catch (error) {
    await start.close();
    throw error;
  }
}

/** From the model that the training begins with; of one that goes on, as its folder has it. */
async function takenOver({ options, folder, checkpoint }: Start<ResolvedOptions>) {
  if (options.initFrom === undefined) return undefined;
  if (checkpoint) {
    const file = joinPath(folder!, modelFiles.config);
    return { settings: configOf(await readJsonFile(file, MAX_CONFIG), String(file)) };
  }
  const { config, network } = await loadSpeech(options.initFrom);
  return { settings: config, weights: network.stateDict() };
}
