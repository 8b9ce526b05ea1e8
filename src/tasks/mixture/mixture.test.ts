import { beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { Generator } from "../../tensor/random.ts";
import { LanguageModel } from "../language-model/task.ts";
import { NgramModel } from "../ngram-model/model.ts";
import { interpolate } from "./interpolate.ts";
import { type Hypothesis, type Rescored, type RescoreOptions, rescore } from "./rescore.ts";

/** Lines of a small grammar in which the verb depends on the second word, and each line on the one before. */
function writeText(lines: number, seed: number): string {
  const generator = new Generator(seed);
  const one = (words: string) => words.split(" ")[generator.below(words.split(" ").length)]!;
  const line = (i: number) =>
    `${i % 2 ? "then" : "once"} ${one("a the")} ${one("old small red")} ${one("cat dog ship")} ${one("saw met left")}\n`;
  return Array.from({ length: lines }, (_, i) => line(i)).join("");
}

const [text, valid, test] = [writeText(120, 1), writeText(40, 2), writeText(40, 3)] as [
  string,
  string,
  string,
];
let rnn: LanguageModel;
let ngram: NgramModel;

beforeAll(async () => {
  const options = { unit: "word", minCount: 1, cell: "rnn", hiddenSize: 16, numLayers: 1 } as const;
  const how = { batchSize: 4, seqLength: 10, epochs: 6, learningRate: 0.01, validFraction: 0 };
  rnn = await LanguageModel.train({ text }, { ...options, ...how });
  ngram = await NgramModel.train({ text }, { order: 2, tokenizer: rnn.tokenizer });
}, 60_000);

describe("interpolate", () => {
  it("mixes a recurrent model and an n-gram, no worse than each on the text it is tuned on", async () => {
    const result = await interpolate([rnn, ngram], { valid: { text: valid }, test: { text: test } });
    const { weights } = result;
    expect(weights[0]! + weights[1]!).toBeCloseTo(1, 9);
    for (const part of [result.valid!, result.test!]) {
      expect(part.tokens).toBe(40 * 6);
      expect(part.perplexity).toBeCloseTo(Math.exp(part.loss), 9);
    }
    const alone = result.valid!.models.map(({ perplexity }) => perplexity);
    expect(result.valid!.perplexity).toBeLessThan(Math.min(...alone) + 1e-5);
    const [ofRnn, ofNgram] = result.test!.models;
    // Each model alone has the figures of its own `score` and `evaluate`.
    expect(ofRnn!.loss).toBeCloseTo(-rnn.score(test).logProb / 240, 5);
    expect(ofNgram).toEqual({
      ...(await ngram.evaluate({ text: test })),
      loss: expect.closeTo(ofNgram!.loss, 12),
    });
  });

  it("takes weights as they are given, and any number of models", async () => {
    const first = await interpolate([rnn, ngram, rnn], { weights: [1, 0, 0], test: { text: test } });
    expect(first.valid).toBeUndefined();
    expect(first.test!.loss).toBeCloseTo(first.test!.models[0]!.loss, 12);
    const halves = await interpolate([rnn, ngram, rnn], { weights: [0.25, 0.5, 0.25], test: { text: test } });
    const two = await interpolate([rnn, ngram], { weights: [0.5, 0.5], test: { text: test } });
    expect(halves.test!.loss).toBeCloseTo(two.test!.loss, 12);
  });

  it("a vocabulary in another order is the same vocabulary", async () => {
    const other = await NgramModel.train({ text: writeText(120, 9) }, { order: 2, minCount: 1 });
    expect(other.tokenizer.toJSON()).not.toEqual(rnn.tokenizer.toJSON());
    const { test: measured } = await interpolate([rnn, other], { weights: [0.5, 0.5], test: { text: test } });
    expect(measured!.models[1]!.loss).toBeCloseTo((await other.evaluate({ text: test })).loss, 12);
  });

  it("refuses models of other tokens, and says how they differ", async () => {
    const train = (more: string, options: object) =>
      NgramModel.train({ text: text + more }, { order: 1, ...options });
    const mix = (model: NgramModel, options: object = { valid: { text: valid } }) =>
      problem(interpolate([rnn, model], { names: ["rnn", "other"], ...options }));
    const noBreak = await NgramModel.train({ text: "ab" }, { order: 1, unit: "char" });
    expect([
      await mix(await train("", { unit: "char" })),
      await mix(await train("", { split: "punctuation", minCount: 1 })),
      await mix(await train("a new word or two or three\n", { minCount: 1 })),
      await mix(await NgramModel.train({ text: "once a cat met a dog\n" }, { order: 1, minCount: 1 })),
      await mix(ngram, {}),
      await mix(ngram, { weights: [1] }),
      await mix(ngram, { weights: [Number.NaN, 1] }),
      await problem(interpolate([rnn], { valid: { text: valid } })),
      await problem(interpolate([noBreak, noBreak], { valid: { text: "ab" } })),
    ]).toMatchInlineSnapshot(`
      [
        "OptionError: other: has other tokens than rnn: unit char instead of word
      hint: an n-gram model takes a model's vocabulary by --vocabulary-from, or \`tokenizer\`",
        "OptionError: other: has other tokens than rnn: split punctuation instead of whitespace
      hint: an n-gram model takes a model's vocabulary by --vocabulary-from, or \`tokenizer\`",
        "OptionError: other: has other tokens than rnn: 5 only in other: "or" "new" "three" …
      hint: an n-gram model takes a model's vocabulary by --vocabulary-from, or \`tokenizer\`",
        "OptionError: other: has other tokens than rnn: 8 only in rnn: "then" "the" "ship" …
      hint: an n-gram model takes a model's vocabulary by --vocabulary-from, or \`tokenizer\`",
        "OptionError: interpolate: needs valid, the text to tune the weights on, or the weights",
        "OptionError: weights must be 2 numbers from 0 up that sum to 1, got 1",
        "OptionError: interpolate: weights.0 must be a number",
        "OptionError: interpolate: needs 2 models or more, got 1",
        "DataError: model: has never seen a line break, which texts are taken to follow",
      ]
    `);
  });
});

async function all(
  model: LanguageModel | NgramModel,
  lines: readonly string[],
  options: RescoreOptions = {},
): Promise<Rescored[]> {
  const hypotheses = lines.map((line, i): Hypothesis => {
    const [id, ...words] = line.split(" ");
    return { id: id!, text: words.join(" "), where: `nbest: line ${i + 1}` };
  });
  const scored: Rescored[] = [];
  for await (const one of rescore(model, hypotheses, options)) scored.push(one);
  return scored;
}

const lines = [
  "u1 once a red cat saw",
  "u1 then a red cat saw",
  "u2 then the old dog met",
  "u2 once the old dog met",
  "u3 once the small ship left",
];

describe("rescore", () => {
  it("hypotheses of an utterance follow the first one of the utterance before, as in the toolkit", async () => {
    const scored = await all(rnn, lines);
    const log10 = (context: string, line: string) => {
      const whole = rnn.score(`${context}${line}\n`).logProb;
      return (whole - (context === "" ? 0 : rnn.score(context).logProb)) / Math.LN10;
    };
    const words = lines.map((line) => line.slice(3));
    const after1 = `${words[0]}\n`;
    const after2 = `${after1}${words[2]}\n`;
    const expected = ["", "", after1, after1, after2].map((context, i) => log10(context, words[i]!));
    scored.forEach(({ log10Prob, tokens, unknown, id }, i) => {
      expect(log10Prob).toBeCloseTo(expected[i]!, 5);
      expect({ tokens, unknown, id }).toEqual({ tokens: 6, unknown: 0, id: lines[i]!.slice(0, 2) });
    });
  });

  it("independent: each is what it is alone", async () => {
    const scored = await all(rnn, lines, { independent: true });
    scored.forEach(({ log10Prob }, i) => {
      expect(log10Prob).toBeCloseTo(rnn.score(`${lines[i]!.slice(3)}\n`).logProb / Math.LN10, 6);
    });
  });

  it("mixes token by token", async () => {
    const [ofRnn, ofNgram] = [await all(rnn, lines), await all(ngram, lines)];
    const mixed = await all(rnn, lines, { mixWith: ngram, lambda: 0.5 });
    const only = await all(rnn, lines, { mixWith: ngram, lambda: 1 });
    const none = await all(rnn, lines, { mixWith: ngram, lambda: 0 });
    lines.forEach((_, i) => {
      expect(only[i]!.log10Prob).toBeCloseTo(ofRnn[i]!.log10Prob, 9);
      expect(none[i]!.log10Prob).toBeCloseTo(ofNgram[i]!.log10Prob, 9);
      expect(mixed[i]!.log10Prob).toBeGreaterThan((ofRnn[i]!.log10Prob + ofNgram[i]!.log10Prob) / 2 - 1e-9);
    });
  });

  it("a word that no model knows costs what the toolkit takes; one that one knows is that one's", async () => {
    const unknown = ["u1 once a zebra saw"];
    const [plain] = await all(ngram, unknown);
    const [dear] = await all(ngram, unknown, { oovLogProb: -8 });
    expect(plain!.unknown).toBe(1);
    expect(plain!.log10Prob - dear!.log10Prob).toBeCloseTo(3, 9);
    const [spelt] = await all(ngram, ["u1 once a <unk> saw"]);
    expect(spelt!.unknown).toBe(0);

    const knows = await NgramModel.train({ text: `${text}once a zebra saw\n` }, { order: 1, minCount: 1 });
    const [mixed] = await all(ngram, unknown, { mixWith: knows, lambda: 1 });
    expect(mixed!.unknown).toBe(0);
    const zebra = knows.score("zebra").logProb / Math.LN10;
    expect(mixed!.log10Prob).toBeCloseTo(plain!.log10Prob + 5 + zebra, 9);
  });

  it("an empty hypothesis is the end of the line alone", async () => {
    const [empty] = await all(ngram, ["u1"]);
    expect(empty!.tokens).toBe(1);
    expect(empty!.log10Prob).toBeCloseTo(ngram.score("\n").logProb / Math.LN10, 9);
  });

  it("refuses in words what it cannot score", async () => {
    const chars = await NgramModel.train({ text }, { order: 1, unit: "char" });
    expect([
      await problem(all(chars, ["u1 a cat", "u1 A CAT"])),
      await problem(all(ngram, lines, { mixWith: chars })),
      await problem(all(ngram, lines, { lambda: 2 })),
      await problem(all(ngram, lines, { oovLogProb: 1 })),
      await problem(all(ngram, lines, { mixWith: "models/a" } as unknown as RescoreOptions)),
    ]).toMatchInlineSnapshot(`
      [
        "DataError: nbest: line 2: holds characters the model has never seen: "A" (U+0041), "C" (U+0043), "T" (U+0054)
      hint: its vocabulary is the 19 characters of the text it was trained on; a model of unit "byte" takes any text",
        "DataError: nbest: line 1: the models take it for different numbers of tokens",
        "OptionError: rescore: lambda must be a number 0 or more and at most 1, got 2",
        "OptionError: rescore: oovLogProb must be a number at most 0, got 1",
        "OptionError: rescore: mixWith must be a LanguageModel or an NgramModel",
      ]
    `);
  });
});
