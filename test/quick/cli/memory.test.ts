import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { jsonLines, type Outcome, unrolled } from "./run.ts";

let root: string;
let trained: Outcome;
const at = (...parts: string[]) => join(root, ...parts);
const order = ["--problem", "temporal-order", "--length", "10-14", "--hidden-size", "8", "--max-steps", "20"];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-cli-"));
  trained = await unrolled(
    "train",
    "memory",
    ...order,
    "--validate-every",
    "10",
    "--json",
    "--out",
    at("lstm"),
  );
  const regularised = ["--cell", "rnn", "--omega", "4", "--clip-value", "0.1"];
  expect((await unrolled("train", "memory", ...order, ...regularised, "--out", at("rnn"))).code).toBe(0);
  writeFileSync(at("text.txt"), "the quick brown fox jumps over the lazy dog\n".repeat(20));
  const small = [
    "--hidden-size",
    "8",
    "--num-layers",
    "2",
    "--batch-size",
    "4",
    "--seq-length",
    "8",
    "--epochs",
    "1",
  ];
  const language = ["train", "language-model", "--text", at("text.txt"), ...small, "--out", at("words")];
  expect((await unrolled(...language)).code).toBe(0);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("train memory --json writes one event a line and nothing else", () => {
  expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: "" });
  const events = jsonLines(trained.stdout);
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set(["step", "validation", "checkpoint", "done"]),
  );
  expect(events.at(-1)).toMatchObject({ type: "done", step: 20, solved: false });
});

it("evaluate asks about fresh sequences, of any length", async () => {
  const { code, stdout } = await unrolled(
    "evaluate",
    at("lstm"),
    "--sequences",
    "200",
    "--length",
    "30",
    "--json",
  );
  expect(code).toBe(0);
  const [evaluation] = jsonLines(stdout);
  expect(evaluation).toMatchObject({ task: "memory", sequences: 200 });
  expect(evaluation!.wrong).toBeGreaterThan(0.5);
  const { stdout: words } = await unrolled("evaluate", at("lstm"), "--sequences", "200", "--length", "30");
  expect(words).toContain(`wrong      ${(100 * (evaluation!.wrong as number)).toFixed(1)} %`);
});

it("inspect shows the problem, the parameters and the options", async () => {
  const { stdout } = await unrolled("inspect", at("rnn"));
  expect(stdout).toContain("memory, temporal-order");
  expect(stdout).toContain("RNN(6, 8, omega=4)".replace(", omega=4", ""));
  expect(stdout).toMatch(/total +\d+/);
  expect(stdout).toContain("omega 4");
  const [description] = jsonLines((await unrolled("inspect", at("rnn"), "--json")).stdout);
  expect(Object.keys(description!)).toEqual(["task", "network", "parameters", "options"]);
});

it("gradients measures several models, and draws them in one picture", async () => {
  const plot = at("gradients.svg");
  const looked = ["--length", "20", "--samples", "2", "--plot", plot];
  const { code, stdout } = await unrolled("gradients", at("rnn"), at("lstm"), ...looked, "--json");
  expect(code).toBe(0);
  const curves = jsonLines(stdout) as { model: string; layer: number; part: string; norms: number[] }[];
  expect(curves.map(({ model, part }) => `${model} ${part}`)).toEqual(["rnn h", "lstm h", "lstm c"]);
  for (const { norms } of curves) {
    expect(norms.length).toBe(21);
    expect(norms[0]).toBe(1);
  }
  const svg = readFileSync(plot, "utf8");
  for (const name of ["rnn h", "lstm h", "lstm c", "lag T − t"]) expect(svg).toContain(name);
  // The scale is logarithmic.
  for (const label of ["0.001", "0.01", "0.1", "1"]) expect(svg).toContain(`>${label}</text>`);
});

it("gradients reads a text with a language model, or what it writes itself", async () => {
  const looked = ["gradients", at("words"), "--length", "12", "--samples", "2"];
  const { code, stdout } = await unrolled(...looked, "--text", at("text.txt"));
  expect(code).toBe(0);
  expect(stdout.replace(/\d\.\d\de[+-]\d+/g, (figure) => "#".repeat(figure.length))).toMatchInlineSnapshot(`
    "norm of ∂h_T/∂h_t by lag T − t

      lag  words layer 1 h  words layer 2 h  words layer 1 c  words layer 2 c
        1          #######          #######          #######          #######
        2          #######          #######          #######          #######
        5          #######          #######          #######          #######
       10          #######          #######          #######          #######
       12          #######          #######          #######          #######
    "
  `);
  expect((await unrolled(...looked)).code).toBe(0);
  const tooFar = await unrolled("gradients", at("words"), "--length", "5000", "--text", at("text.txt"));
  expect(tooFar.code).toBe(1);
  expect(tooFar.stderr.replace(root, "…")).toMatchInlineSnapshot(`
    "error: …/text.txt: must have 10000 tokens or more, got 880
    hint: give a longer text, or look less far back with a smaller length
    "
  `);
});

it("what does not fit is told by its flag", async () => {
  const problems: string[] = [];
  for (const args of [
    ["train", "memory", "--out", at("new")],
    ["train", "memory", "--problem", "counting", "--out", at("new")],
    ["train", "memory", ...order, "--length", "10..20", "--out", at("new")],
    ["train", "memory", ...order, "--omega", "4", "--out", at("new")],
    ["train", "memory", "--recipe", "temporal-ordr", "--out", at("new")],
    ["evaluate", at("words"), "--text", at("text.txt"), "--sequences", "10"],
    ["evaluate", at("lstm"), "--text", at("text.txt")],
    ["evaluate", at("lstm"), "--int8"],
    ["gradients", at("lstm"), "--text", at("text.txt")],
    ["gradients", at("nowhere")],
  ]) {
    const { code, stdout, stderr } = await unrolled(...args);
    expect(stdout).toBe("");
    expect(code).not.toBe(0);
    problems.push(stderr.replaceAll(root, "…"));
  }
  expect(problems.join("\n")).toMatchInlineSnapshot(`
    "error: --problem must name what to learn: temporal-order, addition, multiplication, copy, experiment-3c
    hint: or name a --recipe

    error: --problem must be temporal-order, addition, multiplication, copy or experiment-3c, got "counting"

    error: --length must be a length, 100, or two, 50-200, got "10..20"

    error: --omega is for cell rnn, got cell lstm

    error: --recipe temporal-ordr is not known (did you mean temporal-order?)

    error: --sequences is for models of \`train memory\`, and …/words is none

    error: --text is for language models, and …/lstm is none

    error: --int8 is for language models, and …/lstm is none

    error: --text is for language models, and …/lstm is none

    error: …/nowhere/config.json: cannot be read: there is no such file or folder
    "
  `);
  expect(existsSync(at("new"))).toBe(false);
});
