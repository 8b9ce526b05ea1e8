import { describe, expect, it } from "vitest";
import { NgramModel } from "./ngram.ts";
import { bitsPerToken, perplexity } from "./perplexity.ts";

it("a uniform guess among V has perplexity V and log2 V bits", () => {
  expect(perplexity(Math.log(65))).toBeCloseTo(65, 10);
  expect(bitsPerToken(Math.log(64))).toBeCloseTo(6, 12);
});

describe("NgramModel", () => {
  const tokens = Int32Array.of(0, 1, 0, 1, 0, 2);

  it("interpolates by Witten and Bell", () => {
    const unigram = new NgramModel(tokens, { order: 1, vocabularySize: 4 });
    // 3 of 6 are 0, three different words: (3 + 3/4) / 9
    expect(unigram.probability(0, 1)).toBeCloseTo(3.75 / 9, 12);
    expect(unigram.probability(3, 1)).toBeCloseTo(0.75 / 9, 12);
    const bigram = new NgramModel(tokens, { order: 2, vocabularySize: 4 });
    // after 0: 1 twice and 2 once
    expect(bigram.probability(1, 0)).toBeCloseTo((2 + 2 * unigram.probability(1, 0)) / 5, 12);
    // nothing was ever seen after 2
    expect(bigram.probability(1, 2)).toBe(unigram.probability(1, 2));
  });

  it.each([1, 2] as const)("order %i sums to 1 after every word", (order) => {
    const model = new NgramModel(tokens, { order, vocabularySize: 4 });
    for (let before = 0; before < 4; before++) {
      const sum = [0, 1, 2, 3].reduce((total, token) => total + model.probability(token, before), 0);
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  it("scores every token but the first", () => {
    const model = new NgramModel(tokens, { order: 2, vocabularySize: 4 });
    const expected = -(Math.log(model.probability(1, 0)) + Math.log(model.probability(3, 1))) / 2;
    expect(model.loss(Int32Array.of(0, 1, 3))).toBeCloseTo(expected, 12);
    expect(() => model.loss(Int32Array.of(0))).toThrowErrorMatchingInlineSnapshot(
      `[DataError: n-gram: needs 2 tokens or more to score, got 1]`,
    );
  });
});
