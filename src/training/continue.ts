import { DataError, OptionError } from "../errors.ts";
import { createEmptyFolder, listFolder, removeEmptyFolders } from "../io/files.ts";
import { lockFolder } from "../io/folder-lock.ts";
import { type Checkpoint, mendFolder, newestCheckpoint, trainingFolder } from "./checkpoints.ts";
import type { ResumeEvent } from "./events.ts";
import { numerics, numericsDifferences } from "./numerics.ts";

/** Of a task's options, which may be others when a training goes on. */
export interface OptionRules {
  /** Whose options they are, for errors. */
  where: string;
  /** What belongs to one start of a training, not to the training: config.json does not record it. */
  ofOneStart: readonly string[];
  /** How far it goes, and what changes no result. */
  mayChange: readonly string[];
}

/** A folder to train into, which is this training's alone until it is closed. */
export interface OpenFolder {
  folder: string;
  close(): Promise<void>;
}

/** A folder for a new training. */
export async function openFolder(folder: string): Promise<OpenFolder> {
  const occupied = (await listFolder(trainingFolder(folder))).length > 0;
  const hint = "name another folder, or go on with the training in it by `resume`";
  await createEmptyFolder(folder, occupied ? hint : undefined);
  return { folder, close: await occupy(folder) };
}

/** A training as it stopped. */
export interface Stopped<Options> extends OpenFolder {
  options: Options;
  /** What to go on from; undefined if it came to write nothing. */
  checkpoint: Checkpoint | undefined;
  /** Newer checkpoints that are damaged, and options that are not those of before. */
  skipped: string[];
  changed: string[];
}

/** The folder of a training that is to go on. `readRecord` gives the options it began with, `{}` if it never did. */
export async function reopenFolder<Options extends object>(
  folder: string,
  given: Options,
  rules: OptionRules,
  readRecord: () => Promise<Readonly<Record<string, unknown>>>,
): Promise<Stopped<Options>> {
  const close = await occupy(folder);
  try {
    const { options, changed } = continueOptions(await readRecord(), given, rules);
    const { checkpoint, skipped } = await newestCheckpoint(folder);
    await mendFolder(folder, checkpoint);
    return { folder, close, options, checkpoint, skipped, changed };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Takes a folder for this training alone; gives what ends that, and leaves no folder that has remained empty. */
async function occupy(folder: string): Promise<() => Promise<void>> {
  const unlock = await lockFolder(trainingFolder(folder));
  return async () => {
    await unlock();
    await removeEmptyFolders(trainingFolder(folder), folder);
  };
}

/** The recorded options, and of those given now the few that may be others. */
function continueOptions<Options extends object>(
  recorded: Readonly<Record<string, unknown>>,
  given: Options,
  { where, ofOneStart, mayChange }: OptionRules,
) {
  const changed: string[] = [];
  const refused: string[] = [];
  const own: Record<string, unknown> = {};
  const show = (value: unknown) => (value === undefined ? "not given" : JSON.stringify(value));
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    own[name] = value;
    if (Object.keys(recorded).length === 0 || ofOneStart.includes(name)) continue;
    if (show(value) === show(recorded[name])) continue;
    const list = mayChange.includes(name) ? changed : refused;
    list.push(`${name} was ${show(recorded[name])}, got ${show(value)}`);
  }
  if (refused.length > 0) {
    throw new OptionError(
      `${where}: resume goes on with the options the training began with: ${refused.join("; ")}`,
      { hint: "leave these out, or train anew in another folder" },
    );
  }
  return { options: { ...recorded, ...own } as Options, changed };
}

/** What a training is made of besides its options. */
export const madeOf = (data: string) => ({ data, numerics: numerics() });

/** Refuses other data than before. `what` names it. */
export function checkData(
  { folder, checkpoint }: { folder: string | undefined; checkpoint: Checkpoint | undefined },
  data: string,
  name: string,
  what: string,
): void {
  if (!checkpoint || checkpoint.made.data === data) return;
  throw new DataError(`${name}: is not the data that the training in ${folder} began with`, {
    hint: `give the same ${what}, to train on and to validate on, or train anew in another folder`,
  });
}

/** What a training that goes on has to say about it. */
export function resumeEvent({
  options: { epochs, maxSteps = Number.POSITIVE_INFINITY, patience = Number.POSITIVE_INFINITY },
  checkpoint,
  skipped,
  changed,
}: Pick<Stopped<unknown>, "checkpoint" | "skipped" | "changed"> & {
  options: { epochs: number; maxSteps?: number | undefined; patience?: number | undefined };
}): ResumeEvent {
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
