import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { jsonLines, type Outcome, spawnUnrolled, unrolled } from "./run.ts";

let root: string;
let trained: Outcome;
const at = (...parts: string[]) => join(root, ...parts);
const words = "zero one two three four five six seven eight nine".split(" ");
const pairs = Array.from({ length: 600 }, (_, i) => String((i * 7919) % 10 ** (1 + (i % 3))));

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-cli-"));
  const spell = (digits: string) => [...digits].map((digit) => words[Number(digit)]).join(" ");
  writeFileSync(at("train.en"), `${pairs.map(spell).join("\n")}\n`);
  writeFileSync(at("train.num"), `${pairs.join("\n")}\n`);
  const size = ["--unit", "char", "--embedding-size", "24", "--hidden-size", "48", "--dropout", "0"];
  const pace = [
    "--batch-tokens",
    "800",
    "--epochs",
    "16",
    "--learning-rate",
    "0.01",
    "--label-smoothing",
    "0",
  ];
  const data = ["--source", at("train.en"), "--target", at("train.num"), "--measure", "exact"];
  trained = await unrolled("train", "translation", ...data, ...size, ...pace, "--json", "--out", at("model"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("train translation --json writes one event a line and nothing else", () => {
  expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: "" });
  const events = jsonLines(trained.stdout);
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set(["corpus", "step", "validation", "checkpoint", "done"]),
  );
  expect(events[0]).toMatchObject({ pairs: 570, heldOut: 30 });
  const { exact } = events.findLast(({ type }) => type === "validation")!;
  expect(exact).toBeGreaterThan(0.8);
});

it("translate reads stdin or a file, and keeps order and blank lines", async () => {
  const input = Buffer.from("four two\n\nnine\n");
  expect(await spawnUnrolled(["translate", at("model")], { input })).toMatchObject({
    code: 0,
    stdout: "42\n\n9\n",
    stderr: "",
  });
  writeFileSync(at("more.en"), "one\ntwo three\n");
  const { stdout } = await unrolled("translate", at("model"), at("more.en"), "--beam", "3", "--json");
  const lines = jsonLines(stdout);
  expect(lines.map(({ source, text }) => [source, text])).toEqual([
    ["one", "1"],
    ["two three", "23"],
  ]);
  const { source, target, weights } = lines[1]!.attention as Record<string, string[]>;
  expect([source!.join(""), target!.join(""), weights!.length]).toEqual(["two three", "23", 3]);
  const best = await unrolled("translate", at("model"), at("more.en"), "--beam", "3", "--n-best", "2");
  expect(best.stdout.split("\n")).toHaveLength(5);
  expect(best.stdout).toMatch(/^-\d\.\d{4}\t1\n/);
});

it("translate of several models is an ensemble", async () => {
  const { stdout } = await unrolled("translate", at("model"), at("more.en"), "--with", at("model"));
  expect(stdout).toBe("1\n23\n");
});

it("translate --plot draws where it looked", async () => {
  writeFileSync(at("one.en"), "four two\n");
  const plot = at("looks.svg");
  expect((await unrolled("translate", at("model"), at("one.en"), "--plot", plot)).stdout).toBe("42\n");
  const svg = readFileSync(plot, "utf8");
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg.match(/<title>/g)).toHaveLength(3 * "four two".length);
  await expect(unrolled("translate", at("model"), at("more.en"), "--plot", plot)).resolves.toMatchObject({
    code: 2,
  });
});

it("rerank tunes what it thinks of n-best lists, and chooses from others", async () => {
  const half = (file: string, lines: string[]) => writeFileSync(at(file), `${lines.join("\n")}\n`);
  const read = (file: string) => readFileSync(at(file), "utf8").trimEnd().split("\n");
  half("dev.en", read("train.en").slice(0, 40));
  half("dev.num", read("train.num").slice(0, 40));
  const search = ["--beam", "4", "--n-best", "4", "--moses"];
  const { stdout } = await unrolled("translate", at("model"), at("dev.en"), ...search);
  expect(stdout).toMatch(/^0 \|\|\| \d+ \|\|\| logP= -?\d+\.\d{4} \|\|\| -?\d+\.\d{6}\n/);
  // A system that thinks worst of the best.
  const spoiled = stdout.replace(/[^ ]+\n/g, (score) => `${-Number(score)}\n`);
  writeFileSync(at("dev.nbest"), spoiled);
  const lists = [
    "--nbest",
    at("dev.nbest"),
    "--source",
    at("dev.en"),
    "--weights",
    at("w.json"),
    "--tokenize",
    "char",
  ];
  const models = ["--with", at("model")];
  const tuned = await unrolled("rerank", ...lists, ...models, "--reference", at("dev.num"), "--json");
  const [{ bleu, weights }] = jsonLines(tuned.stdout) as unknown as [
    { bleu: Record<string, number>; weights: Record<string, number> },
  ];
  expect(Object.keys(weights)).toEqual(["system", "words", "model"]);
  expect(bleu.tuned).toBeGreaterThan(1.5 * bleu.first!);
  expect(bleu.tuned).toBeGreaterThan(0.95 * bleu.oracle!);
  const { stdout: chosen } = await unrolled("rerank", ...lists, ...models);
  const right = chosen
    .trimEnd()
    .split("\n")
    .filter((text, i) => text === read("dev.num")[i]);
  expect(right.length).toBeGreaterThanOrEqual(36);
  const table = await unrolled("rerank", ...lists, ...models, "--reference", at("dev.num"));
  expect(table.stdout).toMatch(/^BLEU, the first ones +\d+\.\d\d\nby these weights +\d+\.\d\d\n/);
  writeFileSync(at("w.json"), '{ "formatVersion": 1, "weights": { "system": 1, "words": 0, "other": 1 } }');
  const wrong = await spawnUnrolled(["rerank", ...lists, ...models]);
  expect(wrong.stderr).toContain(
    "error: rerank: weights must be of system, words, model, got system, words, other",
  );
  writeFileSync(at("dev.nbest"), "0 ||| 42 ||| -1\n99 ||| 3 ||| -1\n");
  expect((await spawnUnrolled(["rerank", ...lists, ...models])).stderr).toContain(
    "dev.nbest: line 2: is of sentence 99, and there are 40, from 0",
  );
  writeFileSync(at("dev.nbest"), "0 ||| 42\n");
  expect((await spawnUnrolled(["rerank", ...lists, ...models])).stderr).toContain(
    'dev.nbest: line 1: must be "number ||| text ||| score", got "0 ||| 42"',
  );
});

it("evaluate gives the scores, or all of it as JSON", async () => {
  const data = ["--source", at("train.en"), "--reference", at("train.num")];
  const { stdout } = await unrolled("evaluate", at("model"), ...data, "--beam", "2");
  expect(stdout).toMatch(/^BLEU +\d+\.\d\d {2}nrefs:1\|case:lc\|eff:no\|tok:13a\|smooth:exp\|version:/);
  expect(stdout).toMatch(/\nchrF +\d+\.\d\d {2}.*\nTER +\d+\.\d\d {2}/);
  const [found] = jsonLines((await unrolled("evaluate", at("model"), ...data, "--json")).stdout);
  expect(found).toMatchObject({ task: "translation", sentences: 600, empty: 0, notes: [] });
  expect(found!.exact).toBeGreaterThan(0.95);
});

it.each([
  [["train", "translation", "--source", "a", "--out", "b"], "--source needs --target FILE, whose lines"],
  [["train", "translation", "--out", "b"], "--source FILE and --target FILE must name sentences"],
  [["train", "translation", "--recipe", "numbers", "--out", "b"], "--recipe numbers is not known"],
  [["evaluate", "MODEL"], "--source FILE and --reference FILE must name sentences"],
  [["evaluate", "MODEL", "--text", "a"], "--text is for language models, and MODEL is none"],
  [["translate", "MODEL", "nowhere"], "nowhere: cannot be read: there is no such file or folder"],
])("says what is wrong: %j", async (args, message) => {
  const { code, stderr } = await spawnUnrolled(args.map((arg) => (arg === "MODEL" ? at("model") : arg)));
  expect(code).not.toBe(0);
  expect(stderr.replaceAll(at("model"), "MODEL")).toContain(`error: ${message}`);
});

it("rerank tells models apart by their names, and needs them to differ", async () => {
  const args = ["--nbest", at("x"), "--source", at("more.en"), "--weights", at("w.json")];
  writeFileSync(at("x"), "");
  const refused = await unrolled("rerank", ...args, "--with", at("model"), "--with", join(at("a"), "model"));
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain("two models are called model");
});

it("inspect shows network, parameters and training", async () => {
  const { stdout } = await unrolled("inspect", at("model"));
  expect(stdout).toMatch(/: translation\n/);
  expect(stdout).toMatch(/total +\d+\n/);
  expect(stdout).toMatch(/trained for 16 epochs, \d+ updates/);
  const [found] = jsonLines((await unrolled("inspect", at("model"), "--json")).stdout);
  expect(found).toMatchObject({ task: "translation", unit: "char", training: { epoch: 16 } });
});

it("options are named as flags", async () => {
  const data = ["--source", at("train.en"), "--target", at("train.num"), "--out", at("never")];
  const { code, stderr } = await unrolled("train", "translation", ...data, "--dropout", "7");
  expect([code, stderr]).toEqual([2, "error: --dropout must be a number 0 or more and below 1, got 7\n"]);
  const both = await unrolled("translate", at("model"), at("more.en"), "--moses", "--json");
  expect(both.stderr).toContain("--moses and --json are two ways");
});
