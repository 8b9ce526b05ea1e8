import { describe, expect, it } from "vitest";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { batchNorm } from "./batch-norm.ts";

const cases: OpCase[] = [
  { name: "plain", shapes: { x: [3, 2, 3, 3] }, run: ({ x }) => batchNorm(x!).output },
  {
    name: "with weight and bias, and the gradients of mean and variance",
    shapes: { x: [2, 3, 4, 5], weight: [3], bias: [3] },
    run({ x, weight, bias }) {
      const { output, mean, variance } = batchNorm(x!, weight, bias, 0.1);
      return [output, mean, variance];
    },
  },
  {
    name: "of rows, with a weight",
    shapes: { x: [7, 5], weight: [5] },
    run: ({ x, weight }) => batchNorm(x!, weight).output,
  },
  { name: "whose mean alone counts", shapes: { x: [4, 2, 3] }, run: ({ x }) => batchNorm(x!).mean },
];

describe.each(cases)("batchNorm $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("is precise far from zero", () => {
  const { output, mean, variance } = batchNorm(
    tensor([10000, 10001, 10002, 10003], [4, 1]),
    undefined,
    undefined,
    0,
  );
  expect([mean.item(), variance.item()]).toEqual([10001.5, 1.25]);
  expect([...output.toArray()]).toEqual(
    [-1.5, -0.5, 0.5, 1.5].map((d) => expect.closeTo(d / Math.sqrt(1.25), 6)),
  );
});

it("says what does not fit", () => {
  expect(() => batchNorm(zeros([3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: batchNorm: x must be [N, C, ...], got [3]]`,
  );
  expect(() => batchNorm(zeros([2, 3]), zeros([2]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: batchNorm: weight must be [3], got [2]]`,
  );
  expect(() => batchNorm(zeros([2, 3]), undefined, undefined, -1)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: batchNorm: eps must be 0 or more, got -1]`,
  );
});
