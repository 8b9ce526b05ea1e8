import { readdirSync } from "node:fs";
import { join, normalize } from "node:path";
import { fileError, readFile } from "../../io/files.ts";
import { mayLive } from "../../io/folder-lock.ts";
import { jsonlFile } from "../../training/logs/jsonl.ts";
import { type LoggedRun, readRun } from "../../training/logs/run.ts";

export type Status = "finished" | "running" | "interrupted";

/** A training that was found. */
export interface FoundRun extends LoggedRun {
  /** The folder of the model, as one would type it; of a log elsewhere, its own. */
  name: string;
  status: Status;
}

const MAX_LOG = 2 ** 31;

/** The trainings whose logs lie in these folders or below. */
export async function findRuns(folders: readonly string[]): Promise<FoundRun[]> {
  const logs = new Set(folders.flatMap((folder) => [...logsBelow(normalize(folder))]));
  const runs: FoundRun[] = [];
  for (const folder of logs) {
    const run = readRun(await readFile(join(folder, jsonlFile), MAX_LOG));
    if (run) runs.push({ ...run, name: nameOf(folder), status: statusOf(run) });
  }
  return runs;
}

function* logsBelow(folder: string): IterableIterator<string> {
  let entries: ReturnType<typeof list>;
  try {
    entries = list(folder);
  } catch (cause) {
    throw fileError(folder, "read", cause);
  }
  if (entries.some((entry) => entry.isFile() && entry.name === jsonlFile)) yield folder;
  for (const entry of entries) {
    const skipped = entry.name.startsWith(".") || entry.name === "node_modules";
    if (entry.isDirectory() && !skipped) yield* logsBelow(join(folder, entry.name));
  }
}

const list = (folder: string) => readdirSync(folder, { withFileTypes: true });

/** A model's folder rather than the one in it that holds the log. */
function nameOf(folder: string): string {
  const model = folder.replace(/(^|[\\/])training[\\/]logs$/, "");
  return model === "" ? "." : model;
}

function statusOf({ ended, process: owner }: LoggedRun): Status {
  if (ended === "finished" || ended === "early-stopping") return "finished";
  return ended === undefined && owner && mayLive(owner) ? "running" : "interrupted";
}
