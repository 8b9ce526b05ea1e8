import { describe, expect, it } from "vitest";
import { zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { polar } from "./polar.ts";

const H = 37;
const cases: OpCase[] = [
  {
    name: "moduli near 1, angles once around the circle",
    shapes: { nu: [H], theta: [H] },
    values: {
      nu: Float64Array.from({ length: H }, (_, i) => Math.fround(-7 + i / 6)),
      theta: Float64Array.from({ length: H }, (_, i) => Math.fround(Math.log((2 * Math.PI * (i + 0.5)) / H))),
    },
    run: ({ nu, theta }) => polar(nu!, theta!),
  },
  { name: "of any numbers", shapes: { nu: [7], theta: [7] }, run: ({ nu, theta }) => polar(nu!, theta!) },
];

describe.each(cases)("polar $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("says what does not fit", () => {
  expect(() => polar(zeros([2, 3]), zeros([3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: polar: nu must be [H], got [2, 3]]`,
  );
  expect(() => polar(zeros([3]), zeros([4]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: polar: theta must be [3], got [4]]`,
  );
});
