import { expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import { regionPath } from "./region-path.ts";

/** Of all paths the best, by trying them. */
function tried(scores: readonly number[][], beta: number): number {
  const walk = (t: number, last: number): number => {
    if (t === scores.length) return 0;
    return Math.max(
      ...scores[t]!.map((score, r) => score + (t > 0 && r === last ? beta : 0) + walk(t + 1, r)),
    );
  };
  return walk(0, -1);
}

it("is the best of all paths", () => {
  const random = new Generator(3);
  for (const beta of [0, 0.3, 1, 5]) {
    for (let n = 0; n < 20; n++) {
      const scores = Array.from({ length: 1 + random.below(5) }, () =>
        Array.from({ length: 3 }, () => random.normal()),
      );
      const path = regionPath(scores, beta);
      const value = path.reduce(
        (sum, r, t) => sum + scores[t]![r]! + (t > 0 && r === path[t - 1] ? beta : 0),
        0,
      );
      expect(value).toBeCloseTo(tried(scores, beta), 9);
    }
  }
});

it("takes each word by itself without affinity, and all together with much", () => {
  const scores = [
    [1, 0, 0],
    [0, 0.4, 0],
    [1, 0, 0.9],
  ];
  expect(regionPath(scores, 0)).toEqual([0, 1, 0]);
  expect(regionPath(scores, 10)).toEqual([0, 0, 0]);
  expect(regionPath([], 1)).toEqual([]);
});
