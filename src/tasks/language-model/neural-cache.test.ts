import { beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { noGrad, step } from "../../autograd/step.ts";
import { tensor } from "../../tensor/tensor.ts";
import { tokenLosses } from "./evaluate.ts";
import { cachedTokenLosses } from "./neural-cache.ts";
import { LanguageModel } from "./task.ts";

// What a text is about: names that come again in it and are rare in the others.
const story = (name: string) => `${name} went to the sea . the sea was calm . ${name} saw ${name} there . `;
const names = ["anna", "bert", "cleo", "dora", "emil", "fred"];
const text = { text: names.map((name) => story(name).repeat(4)).join("\n") };
let words: LanguageModel;
let characters: LanguageModel;

beforeAll(async () => {
  const small = {
    ...{ hiddenSize: 12, numLayers: 1, batchSize: 2, seqLength: 8 },
    validFraction: 0,
    threads: 1,
  };
  words = await LanguageModel.train(text, { ...small, unit: "word", epochs: 2 });
  characters = await LanguageModel.train(text, { ...small, epochs: 1, cell: "gru" });
});

describe("a neural cache", () => {
  const flat = (losses: Iterable<Float32Array>) => [...losses].flatMap((chunk) => [...chunk]);

  it.each(["words", "characters"])("of %s is what it is defined as, for every token", (which) => {
    const { network, tokenizer } = which === "words" ? words : characters;
    const tokens = tokenizer.encode(text.text, "text").slice(0, 150);
    const [size, theta, lambda] = [20, 0.7, 0.25];
    const got = flat(cachedTokenLosses(network.eval(), tokens, { size, theta, lambda }));
    const plain = flat(tokenLosses(network, tokens));
    const T = tokens.length - 1;
    const H = network.config.hiddenSize;
    const h = step(() => noGrad(() => network.read(tensor(tokens.slice(0, T), [T, 1])).hidden)).toArray();
    const dot = (a: number, b: number) => {
      let sum = 0;
      for (let k = 0; k < H; k++) sum += h[a * H + k]! * h[b * H + k]!;
      return sum;
    };
    for (let t = 0; t < T; t++) {
      let [own, all] = [0, 0];
      for (let i = Math.max(0, t - size); i < t; i++) {
        const weight = Math.exp(theta * dot(t, i));
        all += weight;
        if (tokens[i + 1] === tokens[t + 1]) own += weight;
      }
      const p = Math.exp(-plain[t]!);
      const expected = t === 0 ? p : (1 - lambda) * p + (lambda * own) / all;
      expect(got[t]).toBeCloseTo(-Math.log(expected), 4);
    }
  });

  it("is a distribution, whatever comes next", () => {
    const { network } = words;
    const V = network.config.vocabularySize;
    const before = Int32Array.from({ length: 40 }, (_, i) => (i * i) % V);
    let sum = 0;
    for (let w = 0; w < V; w++) {
      const losses = flat(cachedTokenLosses(network, Int32Array.of(...before, w), { size: 30, lambda: 0.4 }));
      sum += Math.exp(-losses.at(-1)!);
    }
    expect(sum).toBeCloseTo(1, 5);
  });

  it("knows what a text is about, goes over chunks, and leaves the model as it was", async () => {
    const about = { text: `${story("dora").repeat(60)}\n` };
    const plain = await words.evaluate(about);
    const cached = await words.evaluate(about, { neuralCache: { size: 50, theta: 2, lambda: 0.3 } });
    expect(cached.tokens).toBe(plain.tokens);
    expect(cached.tokens).toBeGreaterThan(900); // a chunk has 512
    expect(cached.perplexity).toBeLessThan(0.8 * plain.perplexity);
    expect(await words.evaluate(about)).toEqual(plain);
    const nothing = await words.evaluate(about, { neuralCache: { size: 50, lambda: 0 } });
    expect(nothing.loss).toBeCloseTo(plain.loss, 5);
  });

  it("refuses what does not fit", async () => {
    const evaluate = (options: object) => problem(words.evaluate(text, options));
    expect(
      await Promise.all([
        evaluate({ neuralCache: { size: 0 } }),
        evaluate({ neuralCache: { size: 5, lambda: 1 } }),
        evaluate({ neuralCache: { size: 5, theta: -1 } }),
        evaluate({ neuralCache: 5 }),
        evaluate({ neuralCache: { size: 5 }, dynamic: 0.1 }),
        evaluate({ neuralCache: { size: 5 }, ranks: true }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "OptionError: LanguageModel.evaluate: neuralCache: size must be a whole number from 1 to 1000000, got 0",
        "OptionError: LanguageModel.evaluate: neuralCache: lambda must be a number 0 or more and below 1, got 1",
        "OptionError: LanguageModel.evaluate: neuralCache: theta must be a number 0 or more, got -1",
        "OptionError: LanguageModel.evaluate: neuralCache must be an object such as { size: 500 }",
        "OptionError: LanguageModel.evaluate: neuralCache, dynamic and ranks do not go together",
        "OptionError: LanguageModel.evaluate: neuralCache, dynamic and ranks do not go together",
      ]
    `);
  });
});
