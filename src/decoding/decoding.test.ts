import { describe, expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import { type SamplingOptions, sampleToken } from "./sampling.ts";
import { StopStrings } from "./stop-strings.ts";

const logits = Float32Array.of(1, 3, 2, -Infinity, 3);

/** How often each token comes in n draws. */
function frequencies(options: SamplingOptions, n = 20_000): number[] {
  const generator = new Generator(5);
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < n; i++) counts[sampleToken(logits, options, generator)]!++;
  return counts.map((count) => count / n);
}

/** The probabilities of some tokens, by the definition. */
function softmax(tokens: number[], temperature = 1): number[] {
  const weights = [...logits].map((logit, token) =>
    tokens.includes(token) ? Math.exp(logit / temperature) : 0,
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

describe("sampleToken", () => {
  it("takes the first of the likeliest at temperature 0 and at topK 1", () => {
    expect(frequencies({ temperature: 0 }, 50)[1]).toBe(1);
    expect(frequencies({ topK: 1 }, 50)[1]).toBe(1);
  });

  it.each<[string, SamplingOptions, number[]]>([
    ["all", {}, softmax([0, 1, 2, 4])],
    ["temperature 0.5", { temperature: 0.5 }, softmax([0, 1, 2, 4], 0.5)],
    ["temperature 3", { temperature: 3 }, softmax([0, 1, 2, 4], 3)],
    ["top 2", { topK: 2 }, softmax([1, 4])],
    ["top 3", { topK: 3 }, softmax([1, 2, 4])],
    // Of 1, 4, 2, 0 the sums are 0.3995, 0.799, 0.946, 1.
    ["top p 0.399", { topP: 0.399 }, softmax([1])],
    ["top p 0.41", { topP: 0.41 }, softmax([1, 4])],
    ["top p 0.9", { topP: 0.9 }, softmax([1, 2, 4])],
    // Within the top 3 the sums are 0.422, 0.845, 1.
    ["top p 0.82 of the top 3", { topP: 0.82, topK: 3 }, softmax([1, 4])],
  ])("draws in proportion: %s", (_, options, expected) => {
    frequencies(options).forEach((frequency, token) => {
      // Five standard deviations, and nothing at all where the probability is 0.
      const p = expected[token]!;
      expect(Math.abs(frequency - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / 20_000));
    });
  });

  it("depends on the generator alone", () => {
    const draw = () => {
      const generator = new Generator(9);
      return Array.from({ length: 20 }, () => sampleToken(logits, { temperature: 2 }, generator));
    };
    expect(draw()).toEqual(draw());
    expect(draw()).toMatchInlineSnapshot(`
      [
        2,
        2,
        1,
        2,
        2,
        4,
        1,
        4,
        1,
        2,
        4,
        0,
        1,
        1,
        1,
        1,
        2,
        1,
        2,
        1,
      ]
    `);
  });

  it.each([
    [Number.NaN, 0],
    [0, Number.NaN],
    [Number.POSITIVE_INFINITY, 0],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ])("refuses logits %d and %d", (...bad) => {
    expect(() => sampleToken(bad, {}, new Generator(1))).toThrow(/^sampleToken: logits must be finite, got/);
  });

  it("stays finite however large the logits", () => {
    const huge = Float32Array.of(1e30, -1e30, 0);
    expect(sampleToken(huge, { temperature: 0.01, topP: 0.9 }, new Generator(1))).toBe(0);
  });
});

describe("StopStrings", () => {
  function run(stops: string[], pieces: string[]): { shown: string[]; found: boolean } {
    const watcher = new StopStrings(stops);
    const shown = pieces.map((piece) => watcher.push(piece));
    return { shown: [...shown, watcher.end()], found: watcher.found };
  }

  it("drops the stop and what follows", () => {
    expect(run(["END"], ["the END of"])).toEqual({ shown: ["the ", ""], found: true });
  });

  it("finds a stop across pieces, holding back no more than need be", () => {
    expect(run(["END"], [..."an E, ENDED"]).shown.join("|")).toBe("a|n| ||E,| ||||||");
  });

  it("gives back what was held when the text ends", () => {
    expect(run(["END"], ["the EN"])).toEqual({ shown: ["the ", "EN"], found: false });
  });

  it("of several takes the one complete first, whatever the pieces", () => {
    const stops = ["abc", "b", "ab"];
    for (const pieces of [["xabc"], [..."xabc"], ["xa", "bc"]]) {
      expect(run(stops, pieces).shown.join("")).toBe("x");
    }
  });
});
