import { describe, expect, it } from "vitest";
import type { Shape } from "../tensor/shape.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { topLogProbs } from "./top-log-probs.ts";

const shapes: Shape[] = [[3, 65], [2, 3, 8], [7], [4, 1], [0, 5], [5, 0]];

const cases: OpCase[] = Object.entries({ softmax, logSoftmax }).flatMap(([name, f]) =>
  shapes.map((shape) => ({ name: `${name} of [${shape}]`, shapes: { x: shape }, run: ({ x }) => f(x!) })),
);

describe.each(cases)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it.each([softmax, logSoftmax])("%o keeps its precision over long rows that grow", (f) => {
  const values = Float64Array.from({ length: 2 * 5001 }, (_, i) =>
    Math.fround((i % 5001) / 400 + Math.sin(i)),
  );
  checkParity({ name: "long", shapes: { x: [2, 5001] }, values: { x: values }, run: ({ x }) => f(x!) });
});

it("has no overflow, and masks with −∞", () => {
  const x = tensor([1e30, -Infinity, 1e30, -1e30]);
  expect([...softmax(x).toArray()]).toEqual([0.5, 0, 0.5, 0]);
  const log = [...logSoftmax(tensor([500, -Infinity, 500])).toArray()];
  expect(log).toEqual([expect.closeTo(-Math.LN2, 6), -Infinity, expect.closeTo(-Math.LN2, 6)]);
  // A block of nothing but −∞ comes first.
  const wide = tensor(Float32Array.from({ length: 1102 }, (_, i) => (i < 1100 ? -Infinity : 0)));
  expect(logSoftmax(wide).toArray().at(-1)).toBeCloseTo(-Math.LN2, 6);
  expect(logSoftmax(tensor([-Infinity, -Infinity])).toArray()[0]).toBeNaN();
  expect([...softmax(tensor([1, Number.NaN, 2])).toArray()]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});

it("refuses a scalar", () => {
  expect(() => softmax(zeros([]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: softmax: x must have at least one axis, got []]`,
  );
});

describe("topLogProbs", () => {
  it.each([
    [[3, 65], 5],
    [[2, 3, 8], 8],
    [[7], 1],
    [[4, 1], 1],
    [[2, 5001], 20],
  ] as [Shape, number][])("of [%j], the first %i, agrees with the float64 reference", (shape, count) => {
    for (const output of ["logProbs", "tokens"] as const) {
      checkParity({ name: output, shapes: { x: shape }, run: ({ x }) => topLogProbs(x!, count)[output] });
    }
  });

  it("takes the first of equals, and knows −∞", () => {
    const x = tensor([1, 3, -Infinity, 3, 1, 3, 2, 1, 1, 3]);
    expect([...topLogProbs(x, 6).tokens.toArray()]).toEqual([1, 3, 5, 9, 6, 0]);
    const masked = topLogProbs(tensor([-Infinity, 0, -Infinity]), 2);
    expect([...masked.logProbs.toArray()]).toEqual([0, -Infinity]);
    expect(masked.tokens.toArray()[0]).toBe(1);
  });

  it("refuses more than there are", () => {
    expect(() => topLogProbs(zeros([2, 3]), 4)).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: topLogProbs: count must be a whole number from 1 to 3, got 4]`,
    );
    expect(() => topLogProbs(zeros([]), 1)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: topLogProbs: logits must be [..., V], got []]`,
    );
  });
});
