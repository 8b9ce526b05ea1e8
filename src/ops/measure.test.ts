import { describe, expect, it } from "vitest";
import { setThreads } from "../engine/index.ts";
import { parameter, tensor } from "../tensor/tensor.ts";
import { withReference } from "../testing/reference-backend.ts";
import { addScaled, scaleInPlace } from "./in-place.ts";
import { firstNonFinite, norm, sumSquares } from "./measure.ts";

const wave = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));

describe("norm", () => {
  it.each([0, 1, 7, 1000, 100_001])("sums %i squares in double precision", (length) => {
    const values = wave(length);
    const exact = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
    expect(Math.abs(norm(tensor(values)) - exact)).toBeLessThanOrEqual(6e-8 * exact);
    expect(withReference(() => norm(tensor(values)))).toBeCloseTo(exact, 6);
  });

  it("gives the same bits on one and on two threads", () => {
    const values = wave(300_001);
    const bits = (threads: number) => {
      setThreads(threads);
      return sumSquares(tensor(values));
    };
    expect(bits(2)).toBe(bits(1));
  });

  it("does not overflow where the norm itself does not", () => {
    expect(norm(tensor([3e30, 4e30]))).toBeCloseTo(5e30, -26);
  });
});

describe("firstNonFinite", () => {
  it.each([
    [[1, 2, 3], -1],
    [[], -1],
    [[1, 2, 3, 4, 5, Infinity, Number.NaN], 5],
    [[-Infinity], 0],
    [[3.4e38, -3.4e38, 1e-45, Number.NaN], 3],
  ])("%j → %i", (values, index) => {
    expect(firstNonFinite(tensor(values))).toBe(index);
    if (index < 3) expect(withReference(() => firstNonFinite(tensor(values)))).toBe(index);
  });
});

describe("in place", () => {
  const check = () => {
    const x = parameter(Float32Array.of(1, 2, 3, 4, 5), [5]);
    const y = parameter(Float32Array.of(1, 1, 1, 1, -1), [5]);
    scaleInPlace(x, 2);
    addScaled(x, y, 10);
    return [...x.toArray()];
  };

  it("scales, and adds a multiple", () => {
    expect(check()).toEqual([12, 14, 16, 18, 0]);
    expect(withReference(check)).toEqual([12, 14, 16, 18, 0]);
  });

  it("refuses another shape", () => {
    expect(() =>
      addScaled(parameter(Float32Array.of(1, 2), [2]), parameter(Float32Array.of(1), [1])),
    ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: addScaled: x must be [2], got [1]]`);
  });
});
