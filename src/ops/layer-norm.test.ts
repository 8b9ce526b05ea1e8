import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads } from "../engine/index.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { mul, sum } from "./index.ts";
import { layerNorm } from "./layer-norm.ts";

const cases: OpCase[] = [
  { name: "plain", shapes: { x: [3, 2, 7] }, run: ({ x }) => layerNorm(x!) },
  {
    name: "with weight and bias",
    shapes: { x: [4, 9], weight: [9], bias: [9] },
    run: ({ x, weight, bias }) => layerNorm(x!, weight, bias),
  },
  { name: "with weight", shapes: { x: [4, 8], weight: [8] }, run: ({ x, weight }) => layerNorm(x!, weight) },
  {
    name: "with bias and a large eps",
    shapes: { x: [6], bias: [6] },
    run: ({ x, bias }) => layerNorm(x!, undefined, bias, 0.5),
  },
  {
    name: "of one feature",
    shapes: { x: [3, 1], weight: [1] },
    run: ({ x, weight }) => layerNorm(x!, weight),
  },
  {
    name: "of no rows",
    shapes: { x: [0, 3], weight: [3], bias: [3] },
    run: ({ x, weight, bias }) => layerNorm(x!, weight, bias),
  },
];

describe.each(cases)("layerNorm $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("is precise far from zero", () => {
  const y = [...layerNorm(tensor([10000, 10001, 10002, 10003]), undefined, undefined, 0).toArray()];
  const unit = 1 / Math.sqrt(1.25);
  expect(y).toEqual([-1.5, -0.5, 0.5, 1.5].map((d) => expect.closeTo(d * unit, 6)));
});

it("gives the same bits on one and on two threads", () => {
  const values = Float32Array.from({ length: 300 * 70 }, (_, i) => Math.sin(i));
  const bits = (threads: number) => {
    setThreads(threads);
    return step(() => {
      const x = tensor(values, [300, 70], { requiresGrad: true });
      const weight = tensor(values.slice(0, 70), [70], { requiresGrad: true });
      const y = layerNorm(x, weight, weight);
      sum(mul(y, tensor(values, [300, 70]))).backward();
      return [y, x.grad!, weight.grad!].map((t) => [...t.toArray()]);
    });
  };
  expect(bits(2)).toEqual(bits(1));
});

it("says what does not fit", () => {
  expect(() => layerNorm(zeros([]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: layerNorm: x must be [..., features], got []]`,
  );
  expect(() => layerNorm(zeros([2, 3]), zeros([2]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: layerNorm: weight must be [3], got [2]]`,
  );
  expect(() => layerNorm(zeros([2, 3]), zeros([3]), zeros([1, 3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: layerNorm: bias must be [3], got [1, 3]]`,
  );
  expect(() => layerNorm(zeros([2, 3]), tensor(2))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: layerNorm: weight must be [3], got []]`,
  );
  expect(() => layerNorm(zeros([2, 3]), undefined, undefined, -1)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: layerNorm: eps must be 0 or more, got -1]`,
  );
});
