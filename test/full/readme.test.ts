/** The programs in the READMEs compile and run as they stand there. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "unrolled-readme-"));

function programs(readme: string): string[] {
  const text = readFileSync(join(root, readme), "utf8");
  return Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, program]) => program!);
}

function node(...args: string[]): string {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: work, env, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status, stdout).toBe(0);
  return stdout;
}

const english = programs("README.md");
const chinese = programs("README.zh-CN.md");

beforeAll(() => {
  expect(spawnSync(process.execPath, ["scripts/build.ts"], { cwd: root }).status).toBe(0);
  mkdirSync(join(work, "node_modules"));
  symlinkSync(root, join(work, "node_modules/unrolled"));
  writeFileSync(join(work, "package.json"), '{ "type": "module" }\n');
  english.forEach((program, i) => {
    writeFileSync(join(work, `program${i}.ts`), program);
  });
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

it("are the same in both languages", () => {
  expect(english).toHaveLength(3);
  expect(english).toEqual(expect.arrayContaining(chinese));
});

it("compile", () => {
  const compilerOptions = {
    target: "es2024",
    module: "nodenext",
    lib: ["es2024", "dom"],
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  writeFileSync(join(work, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  expect(node(join(root, "node_modules/typescript/bin/tsc"), "-p", work)).toBe("");
});

it("three lines: train, generate, score, save", () => {
  const text = "The ship was white. The whale was white, and the sea was grey.\n";
  writeFileSync(join(work, "book.txt"), text.repeat(100));
  const output = node("program0.ts");
  expect(output).toContain("type: 'done'");
  const perplexity = Number(output.trimEnd().split("\n").at(-1));
  expect(perplexity).toBeGreaterThan(1);
  expect(perplexity).toBeLessThan(65);
  const again = `import { LanguageModel } from "unrolled";
    const lm = await LanguageModel.load("models/book");
    console.log(lm.score("The whale was white.").perplexity);`;
  expect(Number(node("--input-type=module", "-e", again))).toBe(perplexity);
});

it("a model of one's own learns", () => {
  const program = `import { tensor } from "unrolled";
    import { trainOn } from "./program1.ts";
    const tokens = (shift) => tensor(Int32Array.from({ length: 200 }, (_, i) => (7 * ((i >> 2) + shift)) % 65), [50, 4]);
    const losses = Array.from({ length: 30 }, () => trainOn(tokens(0), tokens(1)));
    console.log(losses[0], losses.at(-1));`;
  const [first, last] = node("--input-type=module", "-e", program).split(" ").map(Number);
  expect(first).toBeCloseTo(Math.log(65), 1);
  expect(last).toBeLessThan(first! / 2);
});

it("a stream goes on", () => {
  const program = `import { zeros } from "unrolled";
    import { follow } from "./program2.ts";
    async function* frames() { for (let i = 0; i < 3; i++) yield zeros([2, 40]); }
    for await (const output of follow(frames())) console.log(output.shape.join());`;
  expect(node("--input-type=module", "-e", program)).toBe("2,256\n2,256\n2,256\n");
});
