import { describe, expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import { bestOf, type TuningList, tuneWeights } from "./tune-weights.ts";

const mean = (statistics: readonly number[]) => statistics[0]! / statistics[1]!;

/** Lists whose hypotheses are as good as one hidden sum of their features says. */
function lists(count: number, hidden: readonly number[], seed: number): TuningList[] {
  const random = new Generator(seed);
  return Array.from({ length: count }, () => {
    const features = Array.from({ length: 12 }, () => hidden.map(() => random.normal()));
    const quality = features.map((one) => one.reduce((sum, x, k) => sum + x * hidden[k]!, 0));
    return { features, statistics: quality.map((q) => [q, 1]) };
  });
}

const scoreOf = (given: readonly TuningList[], weights: readonly number[]) => {
  const chosen = given.map(({ features, statistics }) => statistics[bestOf(features, weights)]!);
  return mean(chosen.reduce((a, b) => [a[0]! + b[0]!, a[1]! + b[1]!], [0, 0]));
};

describe("tuneWeights", () => {
  it("finds the sum that tells good hypotheses, up to its scale", () => {
    const hidden = [0.5, -0.3, 0.2];
    const given = lists(200, hidden, 1);
    const { weights, score } = tuneWeights(given, mean, [1, 1, 1]);
    expect(weights.reduce((sum, w) => sum + Math.abs(w), 0)).toBeCloseTo(1, 9);
    expect(score).toBeCloseTo(scoreOf(given, weights), 9);
    expect(score).toBeGreaterThanOrEqual(0.999 * scoreOf(given, hidden));
    for (const [k, weight] of weights.entries()) expect(weight).toBeCloseTo(hidden[k]!, 1);
  });

  it("finds along one weight what trying many values finds, or better", () => {
    for (let seed = 2; seed < 8; seed++) {
      const given = lists(5, [0.9, -0.4], seed).map((list) => ({
        ...list,
        statistics: list.statistics.map((_, i) => [((i * 7 + seed) % 12) ** 2, 1]),
      }));
      const { score } = tuneWeights(given, mean, [1, 0], { restarts: 0 });
      for (let weight = -4; weight <= 4; weight += 0.01) {
        expect(score).toBeGreaterThanOrEqual(scoreOf(given, [1, weight]) - 1e-9);
      }
    }
  });

  it("keeps weights that nothing is better than", () => {
    const given = [{ features: [[1, 0]], statistics: [[3, 1]] }];
    expect(tuneWeights(given, mean, [0.25, 0.75])).toEqual({ weights: [0.25, 0.75], score: 3 });
  });
});
