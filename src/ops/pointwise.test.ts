import { describe, it } from "vitest";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { tanh } from "./pointwise.ts";

const cases: OpCase[] = [{ name: "tanh", shapes: { x: [3, 7] }, run: ({ x }) => tanh(x!) }];

describe.each(cases)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});
