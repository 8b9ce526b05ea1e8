import { joinPath, listFolder } from "../../io/files.ts";
import { readJsonFile } from "../../io/json-file.ts";
import { MAX_CONFIG, modelFiles } from "../../io/model-folder.ts";
import type { Checkpoint } from "../../training/checkpoints.ts";
import { openFolder, reopenFolder } from "../../training/continue.ts";
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
  ] as const satisfies readonly (keyof TranslationOptions)[],
  mayChange: ["epochs", "maxSteps", "patience", "threads", "checkpointEvery"],
};

/** The options as config.json keeps them. */
export function forTheRecord(options: ResolvedOptions): Record<string, unknown> {
  const record: Record<string, unknown> = { ...options };
  for (const name of rules.ofOneStart) delete record[name];
  return record;
}

/** How a training begins, or goes on. */
export interface Start {
  options: ResolvedOptions;
  folder: string | undefined;
  checkpoint: Checkpoint | undefined;
  skipped: string[];
  changed: string[];
  close(): Promise<void>;
}

/** Finds out what to train, and makes the folder ready: a new one, or one that a training stopped in. */
export async function openTraining(given: TranslationOptions): Promise<Start> {
  const { out } = given;
  if (given.resume && typeof out === "string") {
    const { options, ...stopped } = await reopenFolder(out, given, rules, () => readRecord(out));
    try {
      return { ...stopped, options: checkTranslationOptions(options) };
    } catch (error) {
      await stopped.close();
      throw error;
    }
  }
  const options = checkTranslationOptions(given);
  const close = async () => {};
  const begun = { options, folder: undefined, checkpoint: undefined, skipped: [], changed: [], close };
  return options.out === undefined ? begun : { ...begun, ...(await openFolder(options.out)) };
}

/** The options that a training began with. */
async function readRecord(folder: string): Promise<Readonly<Record<string, unknown>>> {
  if (!(await listFolder(folder)).includes(modelFiles.config)) return {};
  const file = joinPath(folder, modelFiles.config);
  return readConfig(await readJsonFile(file, MAX_CONFIG), file).training ?? {};
}
