import { join } from "node:path";
import { readJsonFile } from "../io/json-file.ts";
import { MAX_CONFIG, modelFiles } from "../io/model-folder.ts";

/** What a model in a folder is for: what its config.json says, which the task's own `load` then checks. */
export async function taskOf(folder: string): Promise<unknown> {
  const config = await readJsonFile(join(folder, modelFiles.config), MAX_CONFIG);
  return (config as { task?: unknown } | null)?.task;
}
