import { FileError, UsageError } from "../errors.ts";
import { nodeFiles } from "./node-files.ts";

/**
 * The files that paths and globs name. Paths stand where they are given; the files of a glob (`*`, `**`, `?`, `[…]`,
 * `{…}`) stand in the order of their names by UTF-16 code units, which is the same on every machine. What is named
 * twice is read once, at its first place. A path that exists is a path, whatever signs it has in it.
 */
export async function expandGlobs(patterns: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) {
    if (/[*?[{]/.test(pattern) && !nodeFiles(pattern).sync.existsSync(pattern)) {
      for (const file of await filesOf(pattern)) files.add(file);
    } else {
      files.add(pattern);
    }
  }
  return [...files];
}

async function filesOf(pattern: string): Promise<string[]> {
  const { fs } = nodeFiles(pattern);
  if (!fs.glob) {
    throw new UsageError(`${pattern}: this runtime has no fs.glob`, {
      hint: "name the files one by one, or let a shell do it by leaving out the quotes",
    });
  }
  const files: string[] = [];
  for await (const path of fs.glob(pattern)) if ((await fs.stat(path)).isFile()) files.push(path);
  if (files.length === 0) throw new FileError(`${pattern}: no file matches`);
  return files.sort();
}
