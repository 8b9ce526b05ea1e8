import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { readSafetensors, writeSafetensors } from "../../io/safetensors.ts";
import type { LanguageModelOptions, TextSource } from "./options.ts";
import { LanguageModel } from "./task.ts";

const proverb = "the quick brown fox jumps over the lazy dog\n";
const source = { text: proverb.repeat(40) };
const small: LanguageModelOptions = {
  hiddenSize: 32,
  numLayers: 1,
  batchSize: 4,
  seqLength: 16,
  epochs: 1,
  learningRate: 0.01,
};

let root: string;
let lm: LanguageModel;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  lm = await LanguageModel.train(source, { ...small, out: join(root, "model") });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const weightsOf = (model: LanguageModel) => Buffer.from(writeSafetensors(model.network.stateDict()));

describe("what cannot be trained", () => {
  const train = (given: object, from: TextSource = source) =>
    problem(LanguageModel.train(from, { ...small, ...given } as LanguageModelOptions));

  it("because of an option", async () => {
    expect(
      await Promise.all([
        train({ hidenSize: 3 }),
        train({ cell: "transformer" }),
        train({ hiddenSize: 0 }),
        train({ dropout: 1 }),
        train({ learningRate: Number.NaN }),
        train({ unit: "syllable" }),
        train({ minCount: 3 }),
        train({ nonlinearity: "relu" }),
        train({ warmup: 3 }),
        train({ tieWeights: true, embeddingSize: 8 }),
        train({ valid: 7 }),
        train({ signal: "stop" }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "OptionError: LanguageModel.train: hidenSize is not known (did you mean hiddenSize?)",
        "OptionError: LanguageModel.train: cell must be rnn, lstm, gru, mrnn, mlstm, mingru, minlstm, qrnn, lnlstm or slstm, got "transformer"",
        "OptionError: LanguageModel.train: hiddenSize must be a whole number from 1 to 65536, got 0",
        "OptionError: LanguageModel.train: dropout must be a number 0 or more and below 1, got 1",
        "OptionError: LanguageModel.train: learningRate must be a number above 0, got NaN",
        "OptionError: LanguageModel.train: unit must be char, byte, word or bpe, got "syllable"",
        "OptionError: LanguageModel.train: minCount is for unit word, got unit char",
        "OptionError: LanguageModel.train: nonlinearity is for cell rnn, got cell lstm",
        "OptionError: LanguageModel.train: warmup is for schedule cosine, got schedule constant",
        "OptionError: LanguageModel.train: tieWeights needs embeddingSize = hiddenSize, got 8 and 32",
        "OptionError: LanguageModel.train: valid must be the path of a text file, several in an array, or { text: "…" }",
        "OptionError: LanguageModel.train: signal must be an AbortSignal",
      ]
    `);
  });

  it("because of the text", async () => {
    writeFileSync(join(root, "binary.txt"), Uint8Array.of(97, 0, 98));
    expect(
      await Promise.all([
        train({}, { text: "" }),
        train({}, { text: proverb }),
        train({ validFraction: 0.0005 }),
        train({ valid: { text: "t" } }),
        train({}, join(root, "missing.txt")),
        train({}, join(root, "binary.txt")),
        train({}, root),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "DataError: text: is empty",
        "DataError: text: 39 tokens are too few for one batch of 4 streams of 16, which takes 65
      hint: use a longer text, or a batch size of at most 2",
        "DataError: text: the text to validate on must have 2 tokens or more, got 1
      hint: give one with \`valid\`, or hold out nothing with a validFraction of 0",
        "DataError: text: the text to validate on must have 2 tokens or more, got 1
      hint: give one with \`valid\`, or hold out nothing with a validFraction of 0",
        "FileError: …/missing.txt: cannot be read: there is no such file or folder",
        "DataError: …/binary.txt: looks binary, not text: a zero byte at offset 1",
        "FileError: …: cannot be read: it is a folder, not a file",
      ]
    `);
  });

  it("because of the folder to write to, before anything is trained", async () => {
    const seen: unknown[] = [];
    const onProgress = (event: unknown) => seen.push(event);
    writeFileSync(join(root, "a-file"), "");
    expect(
      await Promise.all([
        train({ onProgress, out: join(root, "model") }),
        train({ onProgress, out: join(root, "a-file") }),
        train({ onProgress, out: "" }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "FileError: …/model: must be a new or empty folder, but holds config.json, model.safetensors, tokenizer.json, …
      hint: name another folder, or go on with the training in it by \`resume\`",
        "FileError: …/a-file: must be a folder, but is a file",
        "OptionError: LanguageModel.train: out must not be empty",
      ]
    `);
    expect(seen).toEqual([]);
  });
});

describe("a saved model", () => {
  it("is the same when loaded", async () => {
    const folder = join(root, "saved", "model");
    await lm.save(folder);
    await lm.save(folder);
    const loaded = await LanguageModel.load(folder);
    expect(weightsOf(loaded)).toEqual(weightsOf(lm));
    expect(loaded.config).toEqual(lm.config);
    expect(loaded.score("the lazy fox")).toEqual(lm.score("the lazy fox"));
    const options = { seed: 5, temperature: 2 };
    expect(loaded.generate("the ", options)).toBe(lm.generate("the ", options));
    expect((await LanguageModel.load(join(root, "model"))).score("dog")).toEqual(lm.score("dog"));
  });

  it("runs with int8 weights, close to what it was, and can then not be saved", async () => {
    const folder = join(root, "small", "model");
    await lm.save(folder);
    const small = await LanguageModel.load(folder, { weights: "int8" });
    const ratio = small.score("the lazy fox").perplexity / lm.score("the lazy fox").perplexity;
    expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
    expect(ratio).not.toBe(1);
    const options = { seed: 5, maxTokens: 20 };
    expect(small.generate("the ", options)).toBe(small.generate("the ", options));
    await expect(small.save(join(root, "small", "copy"))).rejects.toThrow(
      "int8 weights can neither be read nor written",
    );
    await expect(
      LanguageModel.load(folder, { weights: "int4" as "int8" }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[OptionError: LanguageModel.load: weights must be float32 or int8, got "int4"]`,
    );
  });

  it("that was tampered with is refused, file and problem named", async () => {
    let count = 0;
    const tampered = (change: (folder: string) => void) => {
      const folder = join(root, `tampered-${count++}`);
      cpSync(join(root, "model"), folder, { recursive: true });
      change(folder);
      return problem(LanguageModel.load(folder)).then((text) => text.replace(/tampered-\d+/, "model"));
    };
    const edit = (file: string, from: string | RegExp, to: string) =>
      tampered((folder) => {
        const path = join(folder, file);
        const content = readFileSync(path, "utf8");
        expect(content).toMatch(from);
        writeFileSync(path, content.replace(from, to));
      });
    const weights = (change: (bytes: ReturnType<typeof readSafetensors>["tensors"]) => void) =>
      tampered((folder) => {
        const path = join(folder, "model.safetensors");
        const { tensors } = readSafetensors(readFileSync(path));
        change(tensors);
        writeFileSync(path, writeSafetensors(tensors));
      });
    expect([
      await tampered((folder) => rmSync(folder, { recursive: true })),
      await tampered((folder) => rmSync(join(folder, "model.safetensors"))),
      await tampered((folder) => truncateSync(join(folder, "model.safetensors"), 5000)),
      await tampered((folder) => truncateSync(join(folder, "config.json"), 50)),
      await edit("config.json", '"hiddenSize": 32', '"hiddenSize": 1000000'),
      await edit("config.json", '"hiddenSize": 32', '"hiddenSize": -1'),
      await edit("config.json", '"cell": "lstm"', '"cell": "gru"'),
      await edit("config.json", '"task": "language-model"', '"task": "translation"'),
      await edit("config.json", '"formatVersion": 1', '"formatVersion": 9'),
      await edit("config.json", '"network"', '"__proto__": {}, "network"'),
      await edit("tokenizer.json", '"q",', ""),
      await edit("tokenizer.json", '"q",', '"p",'),
      await weights((tensors) => tensors.delete("output.bias")),
      await weights((tensors) => {
        const bias = tensors.get("output.bias")!;
        tensors.delete("output.bias");
        tensors.set("output.bios", bias);
      }),
      await weights((tensors) => tensors.set("output.bias", tensors.get("output.bias")!.reshape(-1, 1))),
    ]).toMatchInlineSnapshot(`
      [
        "FileError: …/model/config.json: cannot be read: there is no such file or folder",
        "FileError: …/model/model.safetensors: cannot be read: there is no such file or folder",
        "FormatError: …/model/model.safetensors: tensor "output.weight": data ends at 7280, but the file has 4456 bytes of data
      hint: the file is truncated",
        "FormatError: …/model/config.json is not JSON, at character 51",
        "FormatError: …/model/model.safetensors: has 10268 numbers, but config.json describes a network of 4000164000924",
        "FormatError: …/model/config.json: network.hiddenSize must be a whole number from 1 to 1048576, got -1",
        "FormatError: …/model/model.safetensors: has 10268 numbers, but config.json describes a network of 8156",
        "FormatError: …/model/config.json: task must be "language-model", got "translation"",
        "FormatError: …/model/config.json: formatVersion must be 1, got 9: a newer version of unrolled wrote it",
        "FormatError: …/model/config.json: __proto__ is not known (known are formatVersion, task, network, training)",
        "FormatError: …/model/tokenizer.json: has 27 tokens, but config.json says vocabularySize 28",
        "FormatError: …/model/tokenizer.json: symbols must not hold an entry twice",
        "FormatError: …/model/model.safetensors: has 10240 numbers, but config.json describes a network of 10268",
        "FormatError: …/model/model.safetensors: loadStateDict: the state does not fit LanguageModelNetwork:
        output.bias is missing
        output.bios is unexpected",
        "FormatError: …/model/model.safetensors: loadStateDict: the state does not fit LanguageModelNetwork:
        output.bias must be [28], got [28, 1]",
      ]
    `);
  });

  it("leaves no trace of a failed write", () => {
    expect(existsSync(join(root, "model", ".model.safetensors.tmp"))).toBe(false);
    expect(readdirSync(join(root, "model")).filter((name) => name.startsWith("."))).toEqual([]);
  });
});
