import { describe, expect, it } from "vitest";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { linear } from "./linear.ts";

const cases: OpCase[] = [
  {
    name: "one row, no bias",
    shapes: { x: [5], weight: [3, 5] },
    run: ({ x, weight }) => linear(x!, weight!),
  },
  {
    name: "[time, batch] rows and a bias",
    shapes: { x: [2, 3, 9], weight: [17, 9], bias: [17] },
    run: ({ x, weight, bias }) => linear(x!, weight!, bias!),
  },
  {
    name: "no rows at all",
    shapes: { x: [0, 4], weight: [3, 4], bias: [3] },
    run: ({ x, weight, bias }) => linear(x!, weight!, bias!),
  },
];

describe.each(cases)("linear: $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("agrees with the reference on sizes that take many tiles and threads", () => {
  checkParity({
    name: "large",
    shapes: { x: [131, 301], weight: [65, 301], bias: [65] },
    run: ({ x, weight, bias }) => linear(x!, weight!, bias!),
  });
});

it("says what does not fit", () => {
  const weight = zeros([4, 64]);
  expect(() => linear(zeros([2, 64], "int32"), weight)).toThrow("linear: input must be float32, got int32");
  expect(() => linear(zeros([2, 64]), zeros([4, 64], "int32"))).toThrow("linear: weight must be float32");
  expect(() => linear(zeros([2, 65]), weight)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: linear: input must be [..., 64], got [2, 65]]`,
  );
  expect(() => linear(zeros([2, 64]), zeros([64]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: linear: weight must be [out, in], got [64]]`,
  );
  expect(() => linear(zeros([2, 64]), weight, tensor([1, 2]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: linear: bias must be [4], got [2]]`,
  );
});
