/** The API reference is written, and nothing that can be imported is missing from it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as library from "../../src/index.ts";
import * as testing from "../../src/testing/index.ts";
import * as worker from "../../src/worker/index.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "unrolled-reference-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let pages = "";

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/reference.ts", folder], {
    cwd: root,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  pages = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
}, 120_000);

/** What index files name, types too. */
function namedExports(folderOfSource: string): string[] {
  return readdirSync(join(root, folderOfSource), { recursive: true, encoding: "utf8" })
    .filter((name) => /^[^/\\]+[/\\]index\.ts$/.test(name))
    .flatMap((name) => {
      const source = readFileSync(join(root, folderOfSource, name), "utf8");
      return Array.from(source.matchAll(/^export (?:type )?\{([^}]*)\}/gm), ([, names]) => names!.split(","));
    })
    .flat()
    .map((name) => name.trim().replace(/^type /, ""))
    .filter(Boolean);
}

it("has every export", () => {
  // A namespace, `init`, is told by what is in it.
  const values = Object.entries({ ...library, ...testing, ...worker }).flatMap(([name, value]) =>
    Object.prototype.toString.call(value) === "[object Module]"
      ? Object.keys(value).map((inner) => `${name}.${inner}`)
      : [name],
  );
  const names = [...values, ...namedExports("src")];
  expect(names.length).toBeGreaterThan(150);
  expect(names.filter((name) => !pages.includes(`\n## ${name}\n`))).toEqual([]);
});

it("shows docstrings, inherited members, and nothing private", () => {
  expect(pages).toContain("Long short-term memory (Hochreiter & Schmidhuber 1997)");
  expect(pages).toMatch(
    /## LSTM\n[^#]*It has also, from Recurrent:[^#]*stream\(\{ batchSize, state, weights \}/,
  );
  expect(pages).not.toMatch(/@internal|^ +private |^ +#/m);
});
