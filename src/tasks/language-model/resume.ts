import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { tokenizerFromJSON } from "../../data/text/tokenizer-json.ts";
import { DataError, OptionError } from "../../errors.ts";
import { createEmptyFolder, joinPath, listFolder, removeEmptyFolders } from "../../io/files.ts";
import { lockFolder } from "../../io/folder-lock.ts";
import { readJsonFile } from "../../io/json-file.ts";
import { MAX_CONFIG, MAX_TOKENIZER, modelFiles } from "../../io/model-folder.ts";
import { type Checkpoint, mendFolder, newestCheckpoint, trainingFolder } from "../../training/checkpoints.ts";
import type { ResumeEvent } from "../../training/events.ts";
import { numerics, numericsDifferences } from "../../training/numerics.ts";
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
const mayChange: readonly string[] = ["epochs", "maxSteps", "patience", "threads", "checkpointEvery"];

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
  if (folder === undefined) return { ...begun, close: async () => {} };
  const occupied = (await listFolder(trainingFolder(folder))).length > 0;
  const hint = "name another folder, or go on with the training in it by `resume`";
  await createEmptyFolder(folder, occupied ? hint : undefined);
  return { ...begun, folder, close: await occupy(folder) };
}

async function reopenTraining(folder: string, given: LanguageModelOptions): Promise<Start> {
  const close = await occupy(folder);
  try {
    const { options: merged, changed } = continueOptions((await readRecord(folder)) ?? {}, given);
    const { checkpoint, skipped } = await newestCheckpoint(folder);
    await mendFolder(folder, checkpoint);
    if (!checkpoint) return { ...(await begin(merged)), folder, changed, skipped, close };
    const options = checkTrainingOptions(where, merged);
    const tokenizer = options.keepTokenizer ? await readTokenizer(folder) : undefined;
    return { options, initial: undefined, tokenizer, folder, checkpoint, skipped, changed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A training from its beginning. */
async function begin(given: LanguageModelOptions): Promise<Omit<Start, "close">> {
  const initial = await readStartingModel(given);
  const options = checkTrainingOptions(where, initial ? withModelDefaults(initial, given) : given);
  const tokenizer = options.keepTokenizer ? initial?.tokenizer : undefined;
  return { options, initial, tokenizer, folder: undefined, checkpoint: undefined, skipped: [], changed: [] };
}

/** Takes a folder for this training alone; gives what ends that, and leaves no folder that has remained empty. */
async function occupy(folder: string): Promise<() => Promise<void>> {
  const unlock = await lockFolder(trainingFolder(folder));
  return async () => {
    await unlock();
    await removeEmptyFolders(trainingFolder(folder), folder);
  };
}

async function readTokenizer(folder: string): Promise<Tokenizer> {
  const file = joinPath(folder, modelFiles.tokenizer);
  return await tokenizerFromJSON(await readJsonFile(file, MAX_TOKENIZER), file);
}

async function readRecord(folder: string): Promise<LanguageModelConfig["training"]> {
  if (!(await listFolder(folder)).includes(modelFiles.config)) return undefined;
  const file = joinPath(folder, modelFiles.config);
  return readConfig(await readJsonFile(file, MAX_CONFIG), file).training;
}

/** The recorded options, and of those given now the few that may be others. */
function continueOptions(recorded: Readonly<Record<string, unknown>>, given: LanguageModelOptions) {
  const changed: string[] = [];
  const refused: string[] = [];
  const own: Record<string, unknown> = {};
  const show = (value: unknown) => (value === undefined ? "not given" : JSON.stringify(value));
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    own[name] = value;
    const comparable = !(ofOneStart as readonly string[]).includes(name) && !isModel(name, value);
    if (Object.keys(recorded).length === 0 || !comparable || show(value) === show(recorded[name])) continue;
    const list = mayChange.includes(name) ? changed : refused;
    list.push(`${name} was ${show(recorded[name])}, got ${show(value)}`);
  }
  if (refused.length > 0) {
    throw new OptionError(
      `${where}: resume goes on with the options the training began with: ${refused.join("; ")}`,
      { hint: "leave these out, or train anew in another folder" },
    );
  }
  return { options: { ...recorded, ...own } as LanguageModelOptions, changed };
}

const isModel = (name: string, value: unknown) => name === "initFrom" && typeof value !== "string";

/** Refuses other data than before. */
export function checkData({ folder, checkpoint }: Start, data: string, name: string): void {
  if (!checkpoint || checkpoint.made.data === data) return;
  throw new DataError(`${name}: is not the data that the training in ${folder} began with`, {
    hint: "give the same texts, to train on and to validate on, or train anew in another folder",
  });
}

/** What a training that goes on has to say about it. */
export function resumeEvent({ options, checkpoint, skipped, changed }: Start): ResumeEvent {
  const { epochs, maxSteps = Number.POSITIVE_INFINITY, patience = Number.POSITIVE_INFINITY } = options;
  const { epoch = 0, step = 0, stale = 0 } = checkpoint?.state.progress ?? {};
  return {
    type: "resume",
    step,
    epoch,
    ...(checkpoint && { path: checkpoint.path }),
    finished: epoch >= epochs || step >= maxSteps || stale >= patience,
    skipped,
    changed,
    numerics: checkpoint ? numericsDifferences(checkpoint.made.numerics) : [],
  };
}

/** What the training is made of besides its options. */
export const madeOf = (data: string) => ({ data, numerics: numerics() });
