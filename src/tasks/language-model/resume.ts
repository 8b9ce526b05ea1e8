import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { tokenizerFromJSON } from "../../data/text/tokenizer-json.ts";
import { joinPath, listFolder } from "../../io/files.ts";
import { readJsonFile } from "../../io/json-file.ts";
import { MAX_CONFIG, MAX_TOKENIZER, modelFiles } from "../../io/model-folder.ts";
import type { Checkpoint } from "../../training/checkpoints.ts";
import { openFolder, reopenFolder } from "../../training/continue.ts";
import { type LanguageModelConfig, readConfig } from "./config.ts";
import { readStartingModel, type StartingModel, withModelDefaults } from "./initialise.ts";
import { checkTrainingOptions, type LanguageModelOptions, type ResolvedOptions } from "./options.ts";

const where = "LanguageModel.train";

/** What belongs to one start of a training, not to the training: config.json does not record it. */
const ofOneStart = [
  "onProgress",
  "signal",
  "valid",
  "out",
  "resume",
  "cache",
  "logDir",
  "log",
  "logEvery",
  "logNorms",
  "profile",
  "sampleEvery",
] as const satisfies readonly (keyof LanguageModelOptions)[];

/** What may be another when a training goes on: how far it goes, and what changes no result. */
const mayChange = ["epochs", "maxSteps", "patience", "threads", "checkpointEvery"];

/** The options as config.json keeps them: those that JSON can hold. */
export function forTheRecord(options: ResolvedOptions): NonNullable<LanguageModelConfig["training"]> {
  const record: Record<string, unknown> = { ...options };
  for (const name of ofOneStart) delete record[name];
  if (typeof options.initFrom !== "string") delete record.initFrom;
  return record;
}

/** How a training begins, or goes on. */
export interface Start {
  options: ResolvedOptions;
  /** The model to take weights from. */
  initial: StartingModel | undefined;
  /** The vocabulary, if it is not to be made of the text. */
  tokenizer: Tokenizer | undefined;
  /** The first word of each class, if they are not to be made of the text. */
  classes: number[] | undefined;
  /** The folder to train into, which is this training's alone until it is closed. */
  folder: string | undefined;
  /** What to go on from. */
  checkpoint: Checkpoint | undefined;
  /** Newer checkpoints that are damaged, and options that are not those of before. */
  skipped: string[];
  changed: string[];
  close(): Promise<void>;
}

/** Finds out what to train, and makes the folder ready: a new one, or one that a training stopped in. */
export async function openTraining(given: LanguageModelOptions): Promise<Start> {
  if (given.resume && typeof given.out === "string") return reopenTraining(given.out, given);
  const begun = await begin(given);
  const { out: folder } = begun.options;
  return folder === undefined
    ? { ...begun, close: async () => {} }
    : { ...begun, ...(await openFolder(folder)) };
}

async function reopenTraining(out: string, given: LanguageModelOptions): Promise<Start> {
  // A model that is given as it is cannot be compared with what was recorded.
  const isModel = given.initFrom !== undefined && typeof given.initFrom !== "string";
  const rules = { where, ofOneStart: isModel ? [...ofOneStart, "initFrom"] : ofOneStart, mayChange };
  const { options: merged, ...stopped } = await reopenFolder(out, given, rules, () => readRecord(out));
  try {
    if (!stopped.checkpoint) return { ...(await begin(merged)), ...stopped };
    const options = checkTrainingOptions(where, merged);
    const tokenizer = options.keepTokenizer ? await readTokenizer(out) : undefined;
    const classes = (await readFolderConfig(out)).network.classes;
    return { ...stopped, options, initial: undefined, tokenizer, classes };
  } catch (error) {
    await stopped.close();
    throw error;
  }
}

/** A training from its beginning. */
async function begin(given: LanguageModelOptions): Promise<Omit<Start, "close">> {
  const initial = await readStartingModel(given);
  const options = checkTrainingOptions(where, initial ? withModelDefaults(initial, given) : given);
  const tokenizer = options.keepTokenizer ? initial?.tokenizer : undefined;
  const classes = initial?.config.network.classes;
  const nothing = { folder: undefined, checkpoint: undefined, skipped: [], changed: [] };
  return { options, initial, tokenizer, classes, ...nothing };
}

async function readTokenizer(folder: string): Promise<Tokenizer> {
  const file = joinPath(folder, modelFiles.tokenizer);
  return await tokenizerFromJSON(await readJsonFile(file, MAX_TOKENIZER), file);
}

/** The options that a training began with. */
async function readRecord(folder: string): Promise<Readonly<Record<string, unknown>>> {
  if (!(await listFolder(folder)).includes(modelFiles.config)) return {};
  return (await readFolderConfig(folder)).training ?? {};
}

async function readFolderConfig(folder: string): Promise<LanguageModelConfig> {
  const file = joinPath(folder, modelFiles.config);
  return readConfig(await readJsonFile(file, MAX_CONFIG), file);
}
