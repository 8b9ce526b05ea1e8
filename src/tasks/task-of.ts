import { joinPath } from "../io/files.ts";
import { readJsonFile } from "../io/json-file.ts";
import { MAX_CONFIG, modelFiles } from "../io/model-folder.ts";

/** Whether a path names a file in the ARPA format, perhaps packed. */
export function isArpa(path: unknown): path is string {
  return typeof path === "string" && /\.arpa(\.gz|\.zst)?$/i.test(path);
}

/** What a model in a folder is for: what its config.json says, which the task's own `load` then checks. */
export async function taskOf(path: string): Promise<unknown> {
  if (isArpa(path)) return "ngram";
  const config = await readJsonFile(joinPath(path, modelFiles.config), MAX_CONFIG);
  return (config as { task?: unknown } | null)?.task;
}
