import { describe, expect, it } from "vitest";
import type { Shape } from "../tensor/shape.ts";
import { zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { minGru, minLstm } from "./minimal.ts";

const cells = { minGru: [minGru, 2], minLstm: [minLstm, 3] } as const;

interface Options {
  T?: number;
  N?: number;
  H?: number;
  bias?: boolean;
  state?: boolean;
  lengths?: number[];
  reverse?: boolean;
  results?: ("output" | "h")[];
}

function casesOf(name: string, options: Options = {}): OpCase[] {
  const { T = 4, N = 3, H = 5, bias = true, lengths, reverse = false, results = ["output", "h"] } = options;
  return Object.entries(cells).map(([cell, [run, gates]]) => {
    const shapes: Record<string, Shape> = { x: [T, N, 3], weightIh: [gates * H, 3] };
    if (bias) shapes.biasIh = [gates * H];
    if (options.state) shapes.h0 = [N, H];
    if (lengths) shapes.lengths = [N];
    return {
      name: `${cell}: ${name}`,
      shapes,
      ...(lengths && { values: { lengths: Int32Array.from(lengths) } }),
      run({ x, weightIh, ...rest }) {
        const made = run({ input: x!, weightIh: weightIh!, ...rest }, { reverse });
        return results.map((key) => made[key]);
      },
    };
  });
}

const lengths = [2, 0, 4];
const small = [
  casesOf("plain"),
  casesOf("without a bias, one step from a state", { T: 1, bias: false, state: true }),
  casesOf("gradient from the output alone", { state: true, results: ["output"] }),
  casesOf("gradient from the last state alone", { results: ["h"] }),
  casesOf("reverse", { state: true, reverse: true }),
  casesOf("lengths", { lengths }),
  casesOf("lengths, reverse, from a state", { lengths, reverse: true, state: true }),
].flat();

describe.each(small)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it.each(casesOf("vectors, blocks and a tail", { T: 9, N: 5, H: 77, state: true, lengths: [9, 1, 0, 5, 8] }))(
  "agrees with the reference in sizes that fill vectors: $name",
  (test) => checkParity(test),
);

it("says what does not fit", () => {
  const weightIh = zeros([6, 4]);
  expect(() => minGru({ input: zeros([2, 3, 5]), weightIh })).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: minGru: input must be [time, batch, 4], got [2, 3, 5]]`,
  );
  expect(() => minGru({ input: zeros([0, 3, 4]), weightIh })).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: minGru: input must have a time step and a sequence at least, got [0, 3, 4]]`,
  );
  expect(() =>
    minLstm({ input: zeros([2, 3, 4]), weightIh: zeros([7, 4]) }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: minLstm: weightIh must be [3·H, input size], got [7, 4]]`,
  );
  expect(() =>
    minGru({ input: zeros([2, 3, 4]), weightIh, h0: zeros([3, 4]) }),
  ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: minGru: h0 must be [3, 3], got [3, 4]]`);
});
