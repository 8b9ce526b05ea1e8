import { nodeModule } from "../engine/features.ts";
import { UsageError } from "../errors.ts";

/** Whether there is a file system: everywhere but in a page. */
export function hasFiles(): boolean {
  return nodeModule("node:fs") !== undefined;
}

/** Node's own ways to files that are too large to be read or written as a whole. In a page there are none. */
export function nodeFiles(path: string) {
  const sync = nodeModule<typeof import("node:fs")>("node:fs");
  if (!sync) throw new UsageError(`${path}: files can be read and written in Node alone, not in a page`);
  return { fs: sync.promises, sync };
}
