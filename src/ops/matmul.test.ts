import { describe, expect, it } from "vitest";
import type { Shape } from "../tensor/shape.ts";
import { zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { matmul } from "./matmul.ts";

const of = (name: string, a: Shape, b: Shape): OpCase => ({
  name,
  shapes: { a, b },
  run: ({ a, b }) => matmul(a!, b!),
});

describe.each([
  of("two matrices", [3, 4], [4, 5]),
  of("many by one", [2, 3, 4], [4, 5]),
  of("one by many", [3, 4], [2, 4, 5]),
  of("as many by as many", [3, 2, 4], [3, 4, 1]),
  of("leading axes that broadcast both ways", [2, 1, 3, 4], [3, 4, 2]),
  of("leading axes of one", [1, 3, 4], [1, 1, 4, 2]),
  of("no matrices", [0, 3, 4], [0, 4, 2]),
])("matmul: $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("agrees with the reference on batches that are shared by the threads", () => {
  checkParity(of("large batch", [5, 1, 19, 33], [4, 33, 35]));
});

it("says what does not fit", () => {
  expect(() => matmul(zeros([2, 2], "int32"), zeros([2, 2]))).toThrow("matmul: a must be float32, got int32");
  expect(() => matmul(zeros([2, 3]), zeros([2, 3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: matmul: operands must be [..., M, K] and [..., K, N], got [2, 3] and [2, 3]]`,
  );
  expect(() => matmul(zeros([3]), zeros([3, 2]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: matmul: operands must be [..., M, K] and [..., K, N], got [3] and [3, 2]]`,
  );
  expect(() => matmul(zeros([2, 2, 3]), zeros([4, 3, 2]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: matmul: shapes [2] and [4] do not broadcast]`,
  );
});
