import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

const repository = join(import.meta.dirname, "../..");

/** A stranger's command lines: `run` gives what a script of this repository prints, `at` a path in a folder of their own. */
export function recipeRun() {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "unrolled-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return {
    at: (...parts: string[]) => join(root, ...parts),
    run: (...args: string[]) => execFileSync(process.execPath, args, { cwd: repository, encoding: "utf8" }),
  };
}
