import { describe, expect, it } from "vitest";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { avgPool2d, maxPool2d } from "./pool2d.ts";

const shapes = { x: [2, 3, 5, 7] };
const cases: OpCase[] = [
  { name: "maxPool2d", shapes, run: ({ x }) => maxPool2d(x!, 2) },
  {
    name: "maxPool2d of windows that overlap",
    shapes,
    run: ({ x }) => maxPool2d(x!, [3, 2], { stride: 1, padding: 1 }),
  },
  { name: "avgPool2d", shapes, run: ({ x }) => avgPool2d(x!, 2) },
  {
    name: "avgPool2d of windows that overlap",
    shapes,
    run: ({ x }) => avgPool2d(x!, 3, { stride: [1, 2], padding: 1 }),
  },
  { name: "avgPool2d of all", shapes, run: ({ x }) => avgPool2d(x!, [5, 7]) },
];

describe.each(cases)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("the largest and the mean are these", () => {
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
  expect([...maxPool2d(x, 2, { stride: 1 }).toArray()]).toEqual([5, 6, 8, 9]);
  expect([...avgPool2d(x, 2, { stride: 1 }).toArray()]).toEqual([3, 4, 6, 7]);
  // Padding counts as zeros in a mean, and not at all for the largest.
  expect(avgPool2d(x, 2, { stride: 3, padding: 1 }).toArray()[0]).toBe(0.25);
  expect(maxPool2d(tensor([-1, -2, -3, -4], [1, 1, 2, 2]), 2, { padding: 1 }).toArray()[0]).toBe(-1);
});

it("passes NaN on", () => {
  const x = tensor([1, Number.NaN, 3, 4], [1, 1, 2, 2]);
  expect(maxPool2d(x, 2).item()).toBeNaN();
});

it("says what does not fit", () => {
  expect(() => maxPool2d(zeros([3, 4, 4]), 2)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: maxPool2d: x must be [N, C, H, W], got [3, 4, 4]]`,
  );
  expect(() => avgPool2d(zeros([1, 1, 4, 4]), 5)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: avgPool2d: images of 4 × 4 with padding 0 × 0 have no room for a window of 5 × 5]`,
  );
  expect(() => maxPool2d(zeros([1, 1, 4, 4]), 2, { padding: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: maxPool2d: padding must be at most half of the window, 2 × 2, got 2 × 2]`,
  );
  expect(() => maxPool2d(zeros([1, 1, 4, 4]), 1.5)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: maxPool2d: kernelSize must be a whole number from 1 up, or two, got 1.5]`,
  );
});
