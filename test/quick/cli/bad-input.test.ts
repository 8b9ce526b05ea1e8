import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unrolled } from "./run.ts";

let root: string;
const at = (...parts: string[]) => join(root, ...parts);
const proverb = "the quick brown fox jumps over the lazy dog\n";
const small = [
  "--hidden-size",
  "8",
  "--num-layers",
  "1",
  "--batch-size",
  "4",
  "--seq-length",
  "8",
  "--epochs",
  "1",
];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-cli-"));
  writeFileSync(at("text.txt"), proverb.repeat(20));
  writeFileSync(at("empty.txt"), "");
  writeFileSync(at("binary.txt"), Uint8Array.of(97, 0, 98));
  writeFileSync(at("latin1.txt"), Buffer.from("caf\xe9 au lait\n", "latin1"));
  writeFileSync(at("short.txt"), proverb.slice(0, 20));
  writeFileSync(at("greek.txt"), `${proverb}Σ Ω\n`);
  mkdirSync(at("full"));
  writeFileSync(at("full", "precious.txt"), "mine");
  const { code } = await unrolled(
    "train",
    "language-model",
    "--text",
    at("text.txt"),
    ...small,
    "--out",
    at("model"),
  );
  expect(code).toBe(0);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The error a command line ends in; nothing may be on stdout, and no stack trace on stderr. */
async function problem(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await unrolled(...args);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/^ +at /m);
  return `${code} ${stderr.trimEnd().replaceAll(root, "…")}`;
}

const train = (...args: string[]) => problem("train", "language-model", ...small, ...args);

describe("evaluate", () => {
  it("needs a text", async () => {
    expect(await problem("evaluate", at("model"))).toMatchInlineSnapshot(`
      "2 error: --text FILE must name a text, one that the model was not trained on
      hint: run \`unrolled evaluate --help\`"
    `);
  });

  it("says that there is no model before it says whose flags these are", async () => {
    expect(await problem("evaluate", at("none"), "--manifest", at("text.txt"))).toMatchInlineSnapshot(
      `"1 error: …/none/config.json: cannot be read: there is no such file or folder"`,
    );
  });
});

describe("train language-model", () => {
  it("looks for the text to test on before it begins", async () => {
    const text = ["--text", at("text.txt"), "--test", at("missing.txt")];
    expect(await train(...text, "--out", at("never"))).toMatchInlineSnapshot(
      `"1 error: …/missing.txt: cannot be read: there is no such file or folder"`,
    );
    expect(readdirSync(root)).not.toContain("never");
  });

  it("refuses texts that are none", async () => {
    const results = [];
    for (const name of ["missing.txt", "empty.txt", "binary.txt", "latin1.txt", "short.txt", "full"]) {
      results.push(await train("--text", at(name), "--out", at("never")));
    }
    expect(results).toMatchInlineSnapshot(`
      [
        "1 error: …/missing.txt: cannot be read: there is no such file or folder",
        "1 error: …/empty.txt: is empty",
        "1 error: …/binary.txt: looks binary, not text: a zero byte at offset 1",
        "1 error: …/latin1.txt: is not valid UTF-8: byte 0xE9 at offset 3
      hint: save it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8",
        "1 error: …/short.txt: 18 tokens are too few for one batch of 4 streams of 8, which takes 33
      hint: use a longer text, or a batch size of at most 2",
        "1 error: …/full: cannot be read: it is a folder, not a file",
      ]
    `);
    expect(readdirSync(root)).not.toContain("never");
  });

  it("refuses values out of range, naming the flag", async () => {
    const results = [];
    for (const [flag, value] of [
      ["--hidden-size", "0"],
      ["--hidden-size", "1.5"],
      ["--num-layers", "1e9"],
      ["--dropout", "1"],
      ["--learning-rate", "-1"],
      ["--clip", "NaN"],
      ["--epochs", "ten"],
      ["--threads", "0"],
      ["--seed", "-1"],
      ["--unit", "syllable"],
      ["--cell", "transformer"],
      ["--optimizer", "adm"],
      ["--min-count", "3"],
      ["--warmup", "3"],
      ["--valid-fraction", "0.9"],
    ] as const) {
      results.push(await train("--text", at("text.txt"), "--out", at("never"), flag, value));
    }
    expect(results).toMatchInlineSnapshot(`
      [
        "2 error: --hidden-size must be a whole number from 1 to 65536, got 0",
        "2 error: --hidden-size must be a whole number from 1 to 65536, got 1.5",
        "2 error: --num-layers must be a whole number from 1 to 64, got 1000000000",
        "2 error: --dropout must be a number 0 or more and below 1, got 1",
        "2 error: --learning-rate must be a number above 0, got -1",
        "2 error: --clip must be a number, got "NaN"",
        "2 error: --epochs must be a number, got "ten"",
        "2 error: --threads must be a whole number from 1 to 256, got 0",
        "2 error: --seed must be a whole number from 0 to 9007199254740991, got -1",
        "2 error: --unit must be char, byte, word or bpe, got "syllable"",
        "2 error: --cell must be rnn, lstm, gru, mrnn, mlstm, mingru, minlstm, qrnn, lnlstm or slstm, got "transformer"",
        "2 error: --optimizer must be sgd, asgd, nt-asgd, adagrad, rmsprop, adam or adamw, got "adm"",
        "2 error: --min-count is for unit word, got unit char",
        "2 error: --warmup is for schedule cosine, got schedule constant",
        "2 error: --valid-fraction must be a number 0 or more and at most 0.5, got 0.9",
      ]
    `);
    expect(readdirSync(root)).not.toContain("never");
  });

  it("refuses a folder that is not empty, is a file or cannot be written to, and touches nothing in it", async () => {
    const results = [];
    for (const name of ["full", "text.txt", "text.txt/below"]) {
      results.push(await train("--text", at("text.txt"), "--out", at(name)));
    }
    expect(results).toMatchInlineSnapshot(`
      [
        "1 error: …/full: must be a new or empty folder, but holds precious.txt
      hint: name another folder, or remove this one first",
        "1 error: …/text.txt: must be a folder, but is a file",
        "1 error: …/text.txt/below: cannot be written: a part of the path is a file, not a folder",
      ]
    `);
    expect(readFileSync(at("full", "precious.txt"), "utf8")).toBe("mine");
    expect(readdirSync(at("full"))).toEqual(["precious.txt"]);
  });

  it.skipIf(process.getuid?.() === 0)(
    "refuses a read-only folder (needs another user than root)",
    async () => {
      mkdirSync(at("read-only"));
      chmodSync(at("read-only"), 0o500);
      expect(await train("--text", at("text.txt"), "--out", at("read-only"))).toMatch(/permission denied/);
    },
  );

  it("says what a recipe lacks", async () => {
    const recipe = ["--recipe", "char-rnn", "--out", at("never")];
    expect(await train(...recipe, "--data", at("nowhere"))).toMatchInlineSnapshot(
      `
      "1 error: recipe char-rnn: reads …/nowhere/tinyshakespeare/input.txt, and there is no such file
      hint: where its data come from, recipes/language-model/char-rnn/README.md in the repository says"
    `,
    );
  });
});

describe("commands that read a model", () => {
  /** A copy of the model with one file changed. */
  function tampered(file: string, change: (bytes: Buffer) => Uint8Array | string): string {
    rmSync(at("tampered"), { recursive: true, force: true });
    cpSync(at("model"), at("tampered"), { recursive: true });
    writeFileSync(at("tampered", file), change(readFileSync(at("model", file))));
    return at("tampered");
  }

  it("refuse a folder that holds none", async () => {
    expect([
      await problem("generate", at("missing")),
      await problem("inspect", at("full")),
      await problem("evaluate", at("text.txt"), "--text", at("text.txt")),
    ]).toMatchInlineSnapshot(`
      [
        "1 error: …/missing/config.json: cannot be read: there is no such file or folder",
        "1 error: …/full/config.json: cannot be read: there is no such file or folder",
        "1 error: …/text.txt/config.json: cannot be read: a part of the path is a file, not a folder",
      ]
    `);
  });

  it("refuse files that were cut or tampered with", async () => {
    const cut = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
    const replace = (from: string, to: string) => (bytes: Buffer) => bytes.toString("utf8").replace(from, to);
    expect([
      await problem("generate", tampered("model.safetensors", cut)),
      await problem(
        "generate",
        tampered("model.safetensors", () => Buffer.alloc(8, 0xff)),
      ),
      await problem("score", tampered("config.json", cut), at("text.txt")),
      await problem("inspect", tampered("config.json", replace('"hiddenSize": 8', '"hiddenSize": 80000'))),
      await problem(
        "inspect",
        tampered("config.json", () => " ".repeat(2 ** 21)),
      ),
      await problem("generate", tampered("tokenizer.json", replace('"q",', ""))),
    ]).toMatchInlineSnapshot(`
      [
        "1 error: …/tampered/model.safetensors: tensor "output.weight": data ends at 1904, but the file has 1840 bytes of data
      hint: the file is truncated",
        "1 error: …/tampered/model.safetensors: a header of 18446744073709551615 bytes does not fit a file of 8
      hint: the file is truncated or no safetensors file",
        "1 error: …/tampered/config.json is not JSON, at character 326",
        "1 error: …/tampered/model.safetensors: has 1052 numbers, but config.json describes a network of 25605440252",
        "1 error: …/tampered/config.json: is too large: 2.0 MiB, at most 1.0 MiB are read",
        "1 error: …/tampered/tokenizer.json: has 27 tokens, but config.json says vocabularySize 28",
      ]
    `);
  });

  it("refuse text that does not fit the model", async () => {
    expect([
      await problem("generate", at("model"), "--prompt", "ΣΩ"),
      await problem("evaluate", at("model"), "--text", at("greek.txt")),
      await problem("evaluate", at("model"), "--text", at("empty.txt")),
      await problem("evaluate", at("model"), "--text", at("latin1.txt")),
    ]).toMatchInlineSnapshot(`
      [
        "1 error: prompt: holds characters the model has never seen: "Σ" (U+03A3), "Ω" (U+03A9)
      hint: its vocabulary is the 28 characters of the text it was trained on; a model of unit "byte" takes any text",
        "1 error: …/greek.txt: holds characters the model has never seen: "Σ" (U+03A3), "Ω" (U+03A9)
      hint: its vocabulary is the 28 characters of the text it was trained on; a model of unit "byte" takes any text",
        "1 error: …/empty.txt: is empty",
        "1 error: …/latin1.txt: is not valid UTF-8: byte 0xE9 at offset 3
      hint: save it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8",
      ]
    `);
    const { code, stdout, stderr } = await unrolled("score", at("model"), at("greek.txt"), "--json");
    expect({ code, scored: stdout.split("\n").length - 1 }).toEqual({ code: 1, scored: 1 });
    expect(stderr.replaceAll(root, "…")).toMatchInlineSnapshot(`
      "error: …/greek.txt: line 2: holds characters the model has never seen: "Σ" (U+03A3), "Ω" (U+03A9)
      hint: its vocabulary is the 28 characters of the text it was trained on; a model of unit "byte" takes any text
      "
    `);
  });

  it("refuse numbers out of range", async () => {
    const results = [];
    for (const [flag, value] of [
      ["--max-tokens", "-1"],
      ["--temperature", "-1"],
      ["--temperature", "hot"],
      ["--top-k", "0"],
      ["--top-p", "1.1"],
      ["--seed", "0.5"],
      ["--stop", ""],
      ["--threads", "1000"],
    ] as const) {
      results.push(await problem("generate", at("model"), flag, value));
    }
    expect(results).toMatchInlineSnapshot(`
      [
        "2 error: --max-tokens must be a whole number from 0 to 2147483647, got -1",
        "2 error: --temperature must be a number 0 or more, got -1",
        "2 error: --temperature must be a number, got "hot"",
        "2 error: --top-k must be a whole number from 1 to 2147483647, got 0",
        "2 error: --top-p must be a number above 0 and at most 1, got 1.1",
        "2 error: --seed must be a whole number from 0 to 9007199254740991, got 0.5",
        "2 error: --stop must be a string or an array of strings, none empty",
        "2 error: --threads must be a whole number from 1 to 256, got 1000",
      ]
    `);
  });
});

it("shows a stack trace only when asked to", async () => {
  process.env.UNROLLED_DEBUG = "1";
  try {
    expect((await unrolled("generate", at("missing"))).stderr).toMatch(/^ +at /m);
  } finally {
    delete process.env.UNROLLED_DEBUG;
  }
});
