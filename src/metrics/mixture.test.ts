import { describe, expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import { mixLogProbs, mixtureWeights } from "./mixture.ts";

const total = (logProbs: Float64Array) => logProbs.reduce((sum, x) => sum + x, 0);

/** ln P of tokens that are drawn from a mixture of three distributions over ten, by each of them. */
function sample(weights: readonly number[], tokens: number): Float64Array[] {
  const generator = new Generator(1);
  const models = weights.map(() => {
    const raw = Array.from({ length: 10 }, () => generator.uniform() ** 4);
    const sum = raw.reduce((a, b) => a + b, 0);
    return raw.map((x) => x / sum);
  });
  const pick = (probabilities: readonly number[]) => {
    let left = generator.uniform();
    return Math.max(
      0,
      probabilities.findIndex((p) => {
        left -= p;
        return left < 0;
      }),
    );
  };
  const drawn = Array.from({ length: tokens }, () => pick(models[pick(weights)]!));
  return models.map((model) => Float64Array.from(drawn, (token) => Math.log(model[token]!)));
}

describe("a mixture", () => {
  it("has the weights that its tokens were drawn with", () => {
    const found = mixtureWeights(sample([0.6, 0.3, 0.1], 50_000));
    [0.6, 0.3, 0.1].forEach((weight, k) => {
      expect(Math.abs(found[k]! - weight)).toBeLessThan(0.03);
    });
    expect(found.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it("is best at its weights, and no worse than each model", () => {
    const logProbs = sample([0.5, 0.5], 2000);
    const best = mixtureWeights(logProbs);
    const at = (w: number) => total(mixLogProbs(logProbs, [w, 1 - w]));
    const highest = at(best[0]!);
    for (let w = 0; w <= 1; w += 0.01) expect(at(w)).toBeLessThanOrEqual(highest + 1e-6);
    for (const alone of logProbs) expect(total(alone)).toBeLessThanOrEqual(highest + 1e-9);
  });

  it("leaves out a model that has nothing to add", () => {
    const [good] = sample([1, 0], 500);
    const [weight, none] = mixtureWeights([good!, good!.map((x) => x - 1)]);
    expect(weight).toBeGreaterThan(0.999);
    expect(none).toBeLessThan(0.001);
  });

  it("refuses what does not fit together", () => {
    const two = [new Float64Array(3), new Float64Array(3)];
    const cases = [
      () => mixtureWeights([new Float64Array(3), new Float64Array(4)]),
      () => mixtureWeights([]),
      () => mixLogProbs(two, [0.5]),
      () => mixLogProbs(two, [0.7, 0.7]),
      () => mixLogProbs(two, [1.5, -0.5]),
      () => mixLogProbs(two, [Number.NaN, 1]),
    ];
    const messages = cases.map((f) => {
      try {
        return f();
      } catch (error) {
        return String(error);
      }
    });
    expect(messages).toMatchInlineSnapshot(`
      [
        "OptionError: mixture: models must have log-probs of the same tokens, got 3, 4 of them",
        "OptionError: mixture: models must have log-probs of the same tokens, got none of them",
        "OptionError: weights must be 2 numbers from 0 up that sum to 1, got 0.5",
        "OptionError: weights must be 2 numbers from 0 up that sum to 1, got 0.7, 0.7",
        "OptionError: weights must be 2 numbers from 0 up that sum to 1, got 1.5, -0.5",
        "OptionError: weights must be 2 numbers from 0 up that sum to 1, got NaN, 1",
      ]
    `);
  });
});
