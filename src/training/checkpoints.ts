import * as v from "valibot";
import { FileError, FormatError } from "../errors.ts";
import { sha256 } from "../io/digest.ts";
import {
  isTemporary,
  joinPath,
  listFolder,
  readFile,
  removePath,
  writeFile,
  writeNewFolder,
} from "../io/files.ts";
import { formatJson, readJsonFile } from "../io/json-file.ts";
import { modelFiles, writeModelFolder } from "../io/model-folder.ts";
import { readSafetensors, writeSafetensors } from "../io/safetensors.ts";
import { checkContent, formatVersion, numberIn, recordOf, text, wholeNumber } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { numericsSchema } from "./numerics.ts";
import type { TrainingState } from "./state.ts";
import { readState, writeState } from "./state-file.ts";
import type { Checkpoints } from "./trainer.ts";

/**
 * Checkpoints in a model's folder. Each is a folder of its own, training/000001 and so on, written once and never
 * changed: first its files, then a manifest with their sizes and SHA-256, all of it flushed to the disk; then
 * training/latest names it; then the best weights, if they are new, replace model.safetensors; and only then older ones
 * are removed. Wherever that is cut short, the newest checkpoint that its manifest vouches for is one to go on from.
 */
const FOLDER = "training";
const LATEST = "latest";
const MANIFEST = "manifest.json";
const STATE = "state.safetensors";
/** The best weights so far: what model.safetensors holds, or shall hold. */
const BEST = "best.safetensors";

const MAX_MANIFEST = 2 ** 16;
const MAX_FILE = 2 ** 32;

/** Checkpoints that are kept: the newest, and the one before should it be damaged. Each has the best weights in it. */
const KEEP = 2;

const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const seconds = numberIn({ from: 0 });
const stamp = recordOf({ bytes: count, sha256: text() });

const madeOf = recordOf({
  /** Tells the data, as tokens, from other data. */
  data: text(),
  numerics: numericsSchema,
});

/** What a training is made of besides its options, to compare when it goes on. */
export type Made = v.InferOutput<typeof madeOf>;

const manifestSchema = recordOf({
  formatVersion: formatVersion(1),
  step: count,
  epoch: count,
  clock: recordOf({ seconds, updateSeconds: seconds }),
  made: madeOf,
  files: recordOf({ [STATE]: stamp, [BEST]: v.optional(stamp) }),
});

type Manifest = v.InferOutput<typeof manifestSchema>;

/** A checkpoint as it was read. */
export interface Checkpoint {
  number: number;
  path: string;
  state: TrainingState;
  /** The best weights so far; undefined before the first validation. */
  best: Map<string, Tensor> | undefined;
  made: Made;
}

const nameOf = (number: number) => String(number).padStart(6, "0");

/** Where a training keeps what it needs to go on. */
export const trainingFolder = (folder: string) => joinPath(folder, FOLDER);

/** Writes checkpoints into a model's folder, numbered on from the one that the training goes on from. */
export function folderCheckpoints(folder: string, made: Made, from = 0): Checkpoints {
  const parent = trainingFolder(folder);
  let kept = from > 0 ? [from] : [];
  const orPointToLast = async (write: () => Promise<void>) => {
    try {
      await write();
    } catch (error) {
      const last = kept.at(-1);
      if (last === undefined || !(error instanceof FileError)) throw error;
      throw new FileError(error.message, {
        hint: `the last checkpoint, ${joinPath(parent, nameOf(last))}, is whole: mend this and resume`,
        cause: error,
      });
    }
  };
  return {
    async saveLast(state, best) {
      const number = (kept.at(-1) ?? 0) + 1;
      const path = joinPath(parent, nameOf(number));
      await orPointToLast(async () => {
        await writeNewFolder(path, checkpointFiles(state, best, made));
        await writeFile(joinPath(parent, LATEST), `${nameOf(number)}\n`);
      });
      kept = [...kept, number].slice(-KEEP);
      await removeOthers(parent, kept);
      return path;
    },
    async saveBest(weights) {
      await orPointToLast(() => writeModelFolder(folder, { weights }));
      return joinPath(folder, modelFiles.weights);
    },
  };
}

function checkpointFiles(
  state: TrainingState,
  best: ReadonlyMap<string, Tensor> | undefined,
  made: Made,
): Map<string, Uint8Array | string> {
  const files = new Map<string, Uint8Array>([[STATE, writeState(state)]]);
  if (best) files.set(BEST, writeSafetensors(best));
  const { step, epoch, seconds, updateSeconds } = state.progress;
  const manifest: Manifest = {
    formatVersion: 1,
    step,
    epoch,
    clock: { seconds, updateSeconds },
    made,
    files: Object.fromEntries(
      Array.from(files, ([name, bytes]) => [name, stampOf(bytes)]),
    ) as Manifest["files"],
  };
  return new Map<string, Uint8Array | string>([...files, [MANIFEST, formatJson(manifest)]]);
}

const stampOf = (bytes: Uint8Array) => ({ bytes: bytes.length, sha256: sha256([bytes]) });

/** What cannot be removed now is left to the next time. */
async function removeOthers(parent: string, kept: readonly number[]): Promise<void> {
  for (const number of await checkpointNumbers(parent)) {
    if (!kept.includes(number)) await removePath(joinPath(parent, nameOf(number))).catch(() => {});
  }
}

/** The newest first. */
async function checkpointNumbers(parent: string): Promise<number[]> {
  const names = (await listFolder(parent)).filter((name) => /^\d{6,}$/.test(name));
  return names.map(Number).sort((a, b) => b - a);
}

/**
 * The newest checkpoint that its manifest vouches for, and what was wrong with newer ones. There is none if a training
 * came to write none; that all there were are damaged is an error.
 */
export async function newestCheckpoint(
  folder: string,
): Promise<{ checkpoint: Checkpoint | undefined; skipped: string[] }> {
  const parent = trainingFolder(folder);
  const skipped: string[] = [];
  for (const number of await checkpointNumbers(parent)) {
    try {
      return { checkpoint: await readCheckpoint(parent, number), skipped };
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof FileError)) throw error;
      skipped.push(error.message);
    }
  }
  // Its first checkpoint may have been cut short; `latest` is written when one is whole.
  if ((await listFolder(parent)).includes(LATEST)) {
    throw new FormatError(
      [`${parent}: holds no whole checkpoint`, ...(skipped.length > 0 ? skipped : ["there is none"])].join(
        "\n  ",
      ),
      { hint: "train anew in another folder" },
    );
  }
  return { checkpoint: undefined, skipped };
}

async function readCheckpoint(parent: string, number: number): Promise<Checkpoint> {
  const path = joinPath(parent, nameOf(number));
  const manifestPath = joinPath(path, MANIFEST);
  if (!(await listFolder(path)).includes(MANIFEST)) {
    throw new FormatError(`${path}: was not written to its end`);
  }
  const manifest = checkContent(manifestPath, manifestSchema, await readJsonFile(manifestPath, MAX_MANIFEST));
  const read = async (name: string, { bytes, sha256: digest }: v.InferOutput<typeof stamp>) => {
    const file = joinPath(path, name);
    const content = await readFile(file, MAX_FILE);
    if (content.length !== bytes)
      throw new FormatError(`${file}: must have ${bytes} bytes, got ${content.length}`);
    if (sha256([content]) !== digest)
      throw new FormatError(`${file}: is damaged, its SHA-256 is not the manifest's`);
    return content;
  };
  const { clock, made, files } = manifest;
  const state = readState(await read(STATE, files[STATE]), clock, joinPath(path, STATE));
  const best = files[BEST] && (await read(BEST, files[BEST]));
  return {
    number,
    path,
    state,
    best: best && readSafetensors(best, joinPath(path, BEST)).tensors,
    made,
  };
}

/**
 * Clears away what a killed process left half done, and does what it may not have come to after it wrote the checkpoint
 * to go on from: naming it, and giving the model its best weights. An older one than the newest needs both too.
 */
export async function mendFolder(folder: string, checkpoint: Checkpoint | undefined): Promise<void> {
  for (const place of [folder, trainingFolder(folder)]) {
    for (const name of await listFolder(place)) {
      if (isTemporary(name)) await removePath(joinPath(place, name)).catch(() => {});
    }
  }
  if (!checkpoint) return;
  await writeFile(joinPath(trainingFolder(folder), LATEST), `${nameOf(checkpoint.number)}\n`);
  if (checkpoint.best) await writeModelFolder(folder, { weights: checkpoint.best });
}
