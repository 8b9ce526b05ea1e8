import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads } from "../engine/index.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { conv2d } from "./conv2d.ts";
import { mul, sum } from "./index.ts";

const cases: OpCase[] = [
  {
    name: "plain",
    shapes: { x: [2, 3, 5, 6], weight: [4, 3, 3, 3] },
    run: ({ x, weight }) => conv2d(x!, weight!),
  },
  {
    name: "with bias and padding",
    shapes: { x: [2, 2, 5, 4], weight: [3, 2, 3, 3], bias: [3] },
    run: ({ x, weight, bias }) => conv2d(x!, weight!, bias, { padding: 1 }),
  },
  {
    name: "with stride and padding that differ along the axes",
    shapes: { x: [2, 2, 7, 9], weight: [3, 2, 3, 2], bias: [3] },
    run: ({ x, weight, bias }) => conv2d(x!, weight!, bias, { stride: [2, 3], padding: [0, 1] }),
  },
  {
    name: "of one pixel",
    shapes: { x: [3, 5, 4, 4], weight: [2, 5, 1, 1] },
    run: ({ x, weight }) => conv2d(x!, weight!),
  },
  {
    name: "that sees nothing but padding at its edges",
    shapes: { x: [1, 1, 2, 2], weight: [2, 1, 2, 2], bias: [2] },
    run: ({ x, weight, bias }) => conv2d(x!, weight!, bias, { padding: 2 }),
  },
  {
    name: "of no images",
    shapes: { x: [0, 2, 4, 4], weight: [3, 2, 3, 3] },
    run: ({ x, weight }) => conv2d(x!, weight!),
  },
];

describe.each(cases)("conv2d $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("agrees with the reference where positions and taps fill more than a block", () => {
  // 19 × 19 positions are two blocks, 45 taps three panels; rows of 16 at stride 1 are copied whole.
  const of = (stride: number): OpCase => ({
    name: `stride ${stride}`,
    shapes: { x: [2, 5, 19, 19], weight: [7, 5, 3, 3], bias: [7] },
    run: ({ x, weight, bias }) => conv2d(x!, weight!, bias, { padding: 1, stride }),
  });
  checkParity(of(1));
  checkParity(of(2));
  checkParity({
    name: "rows of 16 and 32",
    shapes: { x: [2, 3, 32, 32], weight: [6, 3, 3, 3], bias: [6] },
    run: ({ x, weight, bias }) => conv2d(x!, weight!, bias, { padding: 1 }),
  });
});

it("gives the same bits on one and on two threads", () => {
  const values = Float32Array.from({ length: 6 * 8 * 24 * 24 }, (_, i) => Math.sin(i));
  const bits = (threads: number) => {
    setThreads(threads);
    return step(() => {
      const x = tensor(values, [6, 8, 24, 24], { requiresGrad: true });
      const weight = tensor(values.slice(0, 12 * 72), [12, 8, 3, 3], { requiresGrad: true });
      const y = conv2d(x, weight, undefined, { padding: 1 });
      sum(mul(y, y)).backward();
      return [y, x.grad!, weight.grad!].map((t) => [...t.toArray()]);
    });
  };
  expect(bits(2)).toEqual(bits(1));
});

it("says what does not fit", () => {
  const [x, weight] = [zeros([2, 3, 5, 5]), zeros([4, 3, 3, 3])];
  expect(() => conv2d(zeros([3, 5, 5]), weight)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: conv2d: x must be [N, C, H, W], got [3, 5, 5]]`,
  );
  expect(() => conv2d(x, zeros([4, 3, 3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: conv2d: weight must be [O, C, Kh, Kw], got [4, 3, 3]]`,
  );
  expect(() => conv2d(x, zeros([4, 2, 3, 3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: conv2d: x must be [N, 2, H, W], got [2, 3, 5, 5]]`,
  );
  expect(() => conv2d(x, weight, zeros([3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: conv2d: bias must be [4], got [3]]`,
  );
  expect(() => conv2d(x, zeros([4, 3, 7, 3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: conv2d: images of 5 × 5 with padding 0 × 0 have no room for a window of 7 × 3]`,
  );
  expect(() => conv2d(x, weight, undefined, { stride: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: conv2d: stride must be a whole number from 1 up, or two, got 0]`,
  );
  expect(() => conv2d(x, weight, undefined, { padding: [1, -1] })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: conv2d: padding must be a whole number from 0 up, or two, got [1,-1]]`,
  );
});
