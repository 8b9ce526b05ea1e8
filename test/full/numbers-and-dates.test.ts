/** The recipe numbers-and-dates for four epochs instead of eight: a stranger's command lines, and what they come to. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const repository = join(import.meta.dirname, "../..");
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function run(...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: repository, encoding: "utf8" });
}

it("translates numbers and dates that it has not seen", () => {
  const data = join(root, "numbers-and-dates");
  run("recipes/translation/numbers-and-dates/pairs.mjs", data);
  const model = join(root, "model");
  const recipe = ["--recipe", "numbers-and-dates", "--data", root];
  run("dist/cli/main.js", "train", "translation", ...recipe, "--epochs", "4", "--out", model, "--json");
  const test = ["--source", join(data, "test.en"), "--reference", join(data, "test.zh")];
  const { sentences, exact } = JSON.parse(run("dist/cli/main.js", "evaluate", model, ...test, "--json"));
  expect(sentences).toBe(1000);
  expect(exact).toBeGreaterThan(0.9);
});
