import { expect, it } from "vitest";
import { spread } from "./spread.ts";

it("is mean, sample deviation, least and greatest", () => {
  expect(spread([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({
    mean: 5,
    standardDeviation: Math.sqrt(32 / 7),
    min: 2,
    max: 9,
  });
  expect(spread([3])).toEqual({ mean: 3, standardDeviation: 0, min: 3, max: 3 });
});
