import { describe, expect, it } from "vitest";
import type { Shape } from "../tensor/shape.ts";
import { type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { add, div, maximum, minimum, mul, sub } from "./binary.ts";

const operations = { add, sub, mul, div, maximum, minimum };

const shapes: [string, Shape, Shape][] = [
  ["equal", [3, 5], [3, 5]],
  ["a row", [4, 5], [5]],
  ["a column", [4, 5], [4, 1]],
  ["a scalar", [9], []],
  ["a single element", [1], [1, 1]],
  ["each stretched", [3, 1, 2], [1, 4, 1]],
  ["alternating axes", [2, 1, 3, 1, 2], [2, 2, 1, 3, 2]],
  ["the first by far smaller", [1], [2, 3, 4]],
  ["nothing", [0, 3], [3]],
];

/** Away from 0, so that div stays tame and finite differences hold. */
function draw(shape: Shape, seed: number): Float64Array {
  const size = shape.reduce((m, n) => m * n, 1);
  return Float64Array.from({ length: size }, (_, i) => {
    const x = Math.sin(12.9898 * (i + 1) + 78.233 * seed);
    return Math.fround(x + Math.sign(x));
  });
}

describe.each(Object.entries(operations))("%s", (name, operation) => {
  const cases: OpCase[] = shapes.map(([what, a, b]) => ({
    name: `${name} with ${what}`,
    shapes: { a, b },
    values: { a: draw(a, 1), b: draw(b, 2) },
    run: ({ a: x, b: y }) => operation(x!, y!),
  }));
  it.each(cases)("$name agrees with the float64 reference", (test) => checkParity(test));
  it.each(cases)("$name has the gradient of finite differences", (test) => checkGradients(test));
});

const values = (t: Tensor) => [...t.toArray()];

it("takes a number on either side", () => {
  const x = tensor([1, 2, 4]);
  expect(values(sub(1, x))).toEqual([0, -1, -3]);
  expect(values(div(x, 4))).toEqual([0.25, 0.5, 1]);
});

it("differentiates an operand that meets itself", () => {
  const square: OpCase = { name: "x·x", shapes: { x: [5] }, run: ({ x }) => mul(x!, x!) };
  checkParity(square);
  checkGradients(square);
});

it("halves the gradient between equal operands", () => {
  const tie: OpCase = {
    name: "tie",
    shapes: { a: [2], b: [2] },
    values: { a: Float64Array.of(1, 1), b: Float64Array.of(1, 2) },
    run: ({ a, b }) => maximum(a!, b!),
  };
  checkParity(tie);
  checkGradients(tie);
});

it("says what does not fit", () => {
  expect(() => add(zeros([2, 3]), zeros([4]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: add: shapes [2, 3] and [4] do not broadcast]`,
  );
  expect(() => mul(zeros([2], "int32"), 2)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: mul: a must be float32, got int32]`,
  );
});
