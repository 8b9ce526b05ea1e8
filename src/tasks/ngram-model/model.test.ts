import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { readSafetensors, writeSafetensors } from "../../io/safetensors.ts";
import { Generator } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { NgramModel } from "./model.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unrolled-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Sentences of a small grammar, `lines` of them. */
function writeText(lines: number, seed: number): string {
  const generator = new Generator(seed);
  const one = (words: string) => words.split(" ")[generator.below(words.split(" ").length)]!;
  const line = () =>
    `${one("a the")} ${one("old small red")} ${one("cat dog ship")} ${one("saw met left")} ${one("a the")} ${one("man sea whale")}`;
  return `${Array.from({ length: lines }, line).join("\n")}\n`;
}

const text = writeText(300, 1);
const held = writeText(50, 2);

describe("NgramModel", () => {
  it.each([
    { order: 1 },
    { order: 3 },
    { order: 5, cutoffs: [1, 2, 2, 3, 4] },
    { order: 4, unit: "char" as const },
    { order: 3, independent: false },
  ])("$order: over the vocabulary, probabilities sum to 1 to 1e-6 in every state", async (options) => {
    const { table } = await NgramModel.train({ text }, options);
    let worst = 0;
    for (let state = 0; state <= table.states; state++) {
      const logProbs = table.distribution(state);
      const sum = logProbs.reduce((total, logProb) => total + Math.exp(logProb), 0);
      worst = Math.max(worst, Math.abs(sum - 1));
      if (state % 50 > 0) continue;
      for (let word = 0; word < table.vocabularySize; word++) {
        table.step(state, word);
        expect(logProbs[word]).toBeCloseTo(table.logProb, 12);
      }
    }
    expect(worst).toBeLessThan(1e-6);
  });

  it("leaves out what is rarer than the cutoffs", async () => {
    const all = await NgramModel.train({ text: held }, { order: 4 });
    const some = await NgramModel.train({ text: held }, { order: 4, cutoffs: [1, 1, 2, 3] });
    expect(some.table.sizes.slice(0, 2)).toEqual(all.table.sizes.slice(0, 2));
    expect(some.table.sizes[2]!).toBeLessThan(all.table.sizes[2]!);
    expect(some.table.sizes[3]!).toBeLessThan(all.table.sizes[3]! / 2);
  });

  it.each([{ order: 3 }, { order: 1 }, { order: 5, unit: "char" as const, independent: true }])(
    "of $order comes back from its folder, its bytes and ARPA with the same bits",
    async (options) => {
      const model = await NgramModel.train({ text }, options);
      const expected = await model.evaluate({ text: held });
      const at = join(folder, `model-${options.order}`);
      await model.save(at);
      await model.saveArpa(`${at}.arpa`);
      const { unit = "word" as const } = options;
      for (const copy of [
        await NgramModel.load(at),
        await NgramModel.load(model.files()),
        await NgramModel.load(`${at}.arpa`, { unit }),
      ]) {
        expect(await copy.evaluate({ text: held })).toEqual(expected);
        expect(copy.tokenizer.decode(copy.tokenizer.encode(held))).toBe(held);
      }
    },
  );

  it("scores every token, lines alone and together alike", async () => {
    const model = await NgramModel.train({ text }, { order: 3 });
    const { tokens, loss } = await model.evaluate({ text: held });
    const lines = held.match(/.*\n/g)!.map((line) => model.score(line));
    expect(tokens).toBe(lines.reduce((sum, line) => sum + line.tokens, 0));
    expect(-loss * tokens).toBeCloseTo(
      lines.reduce((sum, line) => sum + line.logProb, 0),
      9,
    );
    const stream = await NgramModel.train({ text }, { order: 3, independent: false });
    expect(stream.score(held).logProb).not.toBeCloseTo(
      held.match(/.*\n/g)!.reduce((sum, line) => sum + stream.score(line).logProb, 0),
      2,
    );
    for (const options of [{ ranks: true }, { dynamic: 0.1 }, { neuralCache: { size: 5 } }])
      await expect(model.evaluate({ text: held }, options)).rejects.toThrow(/are for networks/);
  });

  it("a word nobody has seen is <unk>, which is never certain nor impossible", async () => {
    const model = await NgramModel.train({ text }, { order: 2 });
    expect(model.score("the zebra").perplexity).toBe(model.score("the <unk>").perplexity);
    expect(Number.isFinite(model.score("zebra zebra").logProb)).toBe(true);
  });

  it("writes what it has learnt, and goes on from a state", async () => {
    const model = await NgramModel.train({ text }, { order: 5 });
    const written = model.generate("", { maxTokens: 70, seed: 3 });
    expect(model.generate("", { maxTokens: 70, seed: 3 })).toBe(written);
    const lines = written.trim().split("\n");
    const grammatical = lines.filter((line) => /^(a|the) (old|small|red)( |$)/.test(line));
    expect(grammatical.length).toBeGreaterThanOrEqual(0.5 * lines.length);
    const stream = model.generateStream("", { maxTokens: 30, seed: 3 });
    const beginning = [...stream].join("");
    const state = JSON.parse(JSON.stringify(stream.state()));
    expect(beginning + model.generate("", { maxTokens: 40, state })).toBe(written);
    expect(() => model.generate("", { state: { ...state, layers: { ngram: [1e9] } } })).toThrow(
      "state: is not of this model: ngram must be from 0 to",
    );
  });

  it("refuses options in words", async () => {
    const train = (options: object) => problem(NgramModel.train({ text }, options));
    const { tokenizer } = await NgramModel.train({ text }, { order: 1 });
    expect([
      await train({ order: 7 }),
      await train({ unit: "byte" }),
      await train({ cutoffs: [2] }),
      await train({ cutoffs: [1, 3, 2] }),
      await train({ order: 1, cutoffs: [1, 1] }),
      await train({ tokenizer, minCount: 2 }),
      await train({ unit: "char", lowercase: true }),
      await train({ tokenizer: "models/a" }),
      await train({ ordre: 3 }),
    ]).toMatchInlineSnapshot(`
      [
        "OptionError: NgramModel.train: order must be a whole number from 1 to 6, got 7",
        "OptionError: NgramModel.train: unit must be word or char, got "byte"",
        "OptionError: NgramModel.train: cutoffs must begin with 1 and not fall, got 2",
        "OptionError: NgramModel.train: cutoffs must begin with 1 and not fall, got 1, 3, 2",
        "OptionError: NgramModel.train: cutoffs must be at most 1, one for each order, got 2",
        "OptionError: NgramModel.train: minCount is of a vocabulary to be made, and tokenizer is one",
        "OptionError: NgramModel.train: lowercase is of unit "word" alone",
        "OptionError: NgramModel.train: tokenizer must be a tokenizer, e.g. that of a model",
        "OptionError: NgramModel.train: ordre is not known (did you mean order?)",
      ]
    `);
  });

  it("refuses a folder that does not add up", async () => {
    const model = await NgramModel.train({ text }, { order: 3 });
    const files = model.files();
    const edited = (name: string, edit: (values: Int32Array | Float32Array) => void) => {
      const { tensors } = readSafetensors(files.weights);
      const values = tensors.get(name)!.toArray() as Int32Array;
      edit(values);
      tensors.set(name, tensor(values));
      return problem(NgramModel.load({ ...files, weights: writeSafetensors(tensors) }));
    };
    const config = (change: object) => {
      const json = JSON.stringify({ ...model.config, ...change });
      return problem(NgramModel.load({ ...files, config: new TextEncoder().encode(json) }));
    };
    const { ngram } = model.config;
    expect([
      await edited("words", (words) => words.fill(5, 60, 62)),
      await edited("words", (words) => words.fill(-1, 3, 4)),
      await edited("words", (words) => words.fill(1000, 100, 101)),
      await edited("first", (first) => first.fill(2 ** 30, 9, 10)),
      await edited("first", (first) => first.fill(0, 30, 31)),
      await edited("log_probs", (values) => values.fill(Number.NaN, 7, 8)),
      await edited("log_probs", (values) => values.fill(1, 7, 8)),
      await edited("backoffs", (values) => values.fill(Number.POSITIVE_INFINITY, 7, 8)),
      await config({ task: "language-model" }),
      await config({ ngram: { ...ngram, sizes: [5, 5] } }),
      await config({ ngram: { ...ngram, sizes: [...ngram.sizes, 7] } }),
      await config({ ngram: { ...ngram, sizes: [ngram.sizes[0], 2 ** 30] } }),
    ]).toMatchInlineSnapshot(`
      [
        "FormatError: model.safetensors: node 60: its word is out of order",
        "FormatError: model.safetensors: node 3: its word is out of order",
        "FormatError: model.safetensors: node 100: its word is out of order",
        "FormatError: model.safetensors: node 8: its children are out of order",
        "FormatError: model.safetensors: node 29: its children are out of order",
        "FormatError: model.safetensors: logProbs 7 must be a logarithm, got NaN",
        "FormatError: model.safetensors: logProbs 7 must be a logarithm, got 1",
        "FormatError: model.safetensors: backoffs 7 must be a logarithm, got Infinity",
        "FormatError: config.json: task must be "ngram", got "language-model"",
        "FormatError: tokenizer.json: has 16 tokens, but config.json is of 4",
        "FormatError: model.safetensors: tensor words must be int32 of 159, got int32 of 152",
        "FormatError: config.json: ngram.sizes must be less than 2^30 n-grams in all",
      ]
    `);
  });

  it("of characters, from ARPA: what is none is refused", async () => {
    const model = await NgramModel.train({ text }, { order: 2 });
    const path = join(folder, "words.arpa");
    await model.saveArpa(path);
    expect(await problem(NgramModel.load(path, { unit: "char" }))).toMatchInlineSnapshot(
      `"FormatError: …/words.arpa: "<unk>" must be one character"`,
    );
    expect(await problem(NgramModel.load(join(folder, "none.arpa")))).toMatchInlineSnapshot(
      `"FileError: …/none.arpa: cannot be read: there is no such file or folder"`,
    );
  });
});
