import { describe, expect, it } from "vitest";
import { Permutation } from "./permutation.ts";

const all = (size: number, seed = 1, number = 0) => {
  const permutation = new Permutation(size, seed, number);
  return Array.from({ length: size }, (_, i) => permutation.at(i));
};

describe("Permutation", () => {
  it.each([1, 2, 3, 4, 5, 16, 17, 1000, 4097])("has each of %i places once", (size) => {
    expect(all(size).sort((a, b) => a - b)).toEqual([...new Array(size).keys()]);
  });

  it("is another for each seed and each number, and the same again for both", () => {
    expect(all(100, 1, 2)).toEqual(all(100, 1, 2));
    expect(all(100, 1, 2)).not.toEqual(all(100, 1, 3));
    expect(all(100, 1, 2)).not.toEqual(all(100, 2, 2));
    expect(all(100, 1 + 2 ** 32)).not.toEqual(all(100, 1));
  });

  it("leaves no trace of the order: places and neighbours are as random as can be", () => {
    const size = 1000;
    let fixed = 0;
    let correlation = 0;
    for (let number = 0; number < 50; number++) {
      const order = all(size, 3, number);
      fixed += order.filter((value, place) => value === place).length;
      for (let i = 1; i < size; i++) {
        correlation += ((order[i]! / size - 0.5) * (order[i - 1]! / size - 0.5)) / (1 / 12) / (50 * size);
      }
    }
    // One fixed point on average, 50 ± 7 in all; the correlation's standard deviation is 1 / √50,000.
    expect(fixed).toBeGreaterThan(20);
    expect(fixed).toBeLessThan(80);
    expect(Math.abs(correlation)).toBeLessThan(0.02);
  });

  it("walks through more places than an array could hold", () => {
    const permutation = new Permutation(2 ** 45, 1, 0);
    const seen = new Set(Array.from({ length: 1000 }, (_, i) => permutation.at(2 ** 44 + i)));
    expect(seen.size).toBe(1000);
    expect([...seen].every((value) => value >= 0 && value < 2 ** 45)).toBe(true);
  });
});
