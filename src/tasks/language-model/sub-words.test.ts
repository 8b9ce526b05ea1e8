import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LanguageModelOptions } from "./options.ts";
import { LanguageModel } from "./task.ts";

const verse =
  "The whale was white, 白い鯨 🐋, and the sea was wide.\nThe ship sailed on; the whalers slept.\n";
const text = { text: verse.repeat(30) };
const settings: LanguageModelOptions = {
  unit: "bpe",
  vocabularySize: 300,
  hiddenSize: 24,
  numLayers: 1,
  batchSize: 4,
  seqLength: 12,
  epochs: 2,
  seed: 3,
};

let root: string;
let model: LanguageModel;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-bpe-"));
  model = await LanguageModel.train(text, { ...settings, out: join(root, "model") });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("a model of sub-words is trained, saved in Hugging Face's format, and loaded", async () => {
  expect(model.tokenizer.unit).toBe("bpe");
  expect(model.tokenizer.size).toBe(300);
  const file = JSON.parse(readFileSync(join(root, "model/tokenizer.json"), "utf8"));
  expect(file).toMatchObject({ version: "1.0", model: { type: "BPE" } });
  const again = await LanguageModel.load(join(root, "model"));
  expect(again.score(verse)).toEqual(model.score(verse));
});

it("writes text whose pieces are whole characters", () => {
  const options = { maxTokens: 200, temperature: 3, seed: 5 };
  const pieces = [...model.generateStream("The whale ", options)];
  expect(pieces.join("")).toBe(model.generate("The whale ", options));
  expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
});

it("goes on from a state within a character as if it had never stopped", () => {
  const options = { temperature: 2, seed: 11 };
  const whole = model.generate("", { ...options, maxTokens: 60 });
  for (const first of [7, 8, 9, 10]) {
    const stream = model.generateStream("", { ...options, maxTokens: first });
    const decoder = [...stream].join("").replace(/\ufffd$/, "");
    const rest = model.generate("", { maxTokens: 60 - first, temperature: 2, state: stream.state() });
    expect(whole.startsWith(decoder)).toBe(true);
    expect(whole.endsWith(rest.replace(/^\ufffd/, ""))).toBe(true);
  }
});

it("goes on with a training that was stopped, to the same bytes", async () => {
  const out = join(root, "resumed");
  await LanguageModel.train(text, { ...settings, epochs: 1, out });
  const resumed = await LanguageModel.train(text, { ...settings, out, resume: true });
  const bytes = (folder: string) => readFileSync(join(root, folder, "model.safetensors"));
  expect(bytes("resumed").equals(bytes("model"))).toBe(true);
  expect(resumed.tokenizer.toJSON()).toEqual(model.tokenizer.toJSON());
});

it("starts from a model of sub-words, token by token", async () => {
  let shared = 0;
  const tuned = await LanguageModel.train(text, {
    initFrom: model,
    vocabularySize: 290,
    batchSize: 4,
    seqLength: 12,
    epochs: 1,
    onProgress: (event) => {
      if (event.type === "initialised") shared = event.shared;
    },
  });
  expect(tuned.tokenizer.size).toBe(290);
  expect(shared).toBe(290);
});

it("refuses a size of the vocabulary where it means nothing", async () => {
  const train = (options: LanguageModelOptions) => LanguageModel.train(text, { ...settings, ...options });
  await expect(train({ unit: "char" })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LanguageModel.train: vocabularySize is for unit bpe, got unit char]`,
  );
  await expect(train({ vocabularySize: 200 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LanguageModel.train: vocabularySize must be a whole number from 257 to 1048576, got 200]`,
  );
});
