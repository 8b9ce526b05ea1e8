import { describe, expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type Inputs, type OpCase } from "../testing/check-op.ts";
import { type MlstmInputs, mlstm } from "./mlstm.ts";
import { mrnn } from "./mrnn.ts";
import type { MultiplicativeInputs } from "./multiplicative.ts";

interface Form {
  T?: number;
  N?: number;
  I?: number;
  H?: number;
  F?: number;
  biases?: readonly ("biasIh" | "biasHh")[];
  state?: boolean;
  lengths?: number[];
  reverse?: boolean;
}

const cells = ["mrnn", "mlstm"] as const;

function opCase(cell: (typeof cells)[number], form: string, options: Form): OpCase {
  const { T = 4, N = 3, I = 3, H = 5, F = 4, state = false, lengths, reverse = false } = options;
  const gates = cell === "mrnn" ? 1 : 4;
  const shapes: Record<string, Shape> = {
    input: [T, N, I],
    weightIh: [gates * H, I],
    weightHh: [gates * H, F],
    weightIm: [F, I],
    weightHm: [F, H],
  };
  for (const bias of options.biases ?? ["biasIh", "biasHh"]) shapes[bias] = [gates * H];
  if (state) shapes.h0 = [N, H];
  if (state && cell === "mlstm") shapes.c0 = [N, H];
  const generator = new Generator(5);
  const values: Inputs = {};
  // Of the size that layers start from: large weights would make the network chaotic and the rounding errors grow.
  for (const name of ["weightIh", "weightHh", "weightIm", "weightHm"]) {
    const [rows, columns] = shapes[name] as [number, number];
    const draw = () => Math.fround(generator.normal() / Math.sqrt(columns));
    values[name] = Float64Array.from({ length: rows * columns }, draw);
  }
  if (lengths) {
    shapes.lengths = [N];
    values.lengths = Int32Array.from(lengths);
  }
  return {
    name: `${cell}: ${form}`,
    shapes,
    values,
    run(inputs) {
      if (cell === "mrnn") {
        const { output, h } = mrnn(inputs as unknown as MultiplicativeInputs, { reverse });
        return [output, h];
      }
      const { output, h, c } = mlstm(inputs as unknown as MlstmInputs, { reverse });
      return [output, h, c];
    },
  };
}

const small: Record<string, Form> = {
  plain: {},
  "one step": { T: 1, state: true },
  "without biases": { biases: [] },
  "one bias, more factors than units": { biases: ["biasIh"], F: 7 },
  "the other bias": { biases: ["biasHh"] },
  "reverse, initial state": { reverse: true, state: true },
  "lengths, initial state": { lengths: [4, 1, 0], state: true },
  "lengths, reverse, initial state": { lengths: [3, 0, 2], reverse: true, state: true },
};

const large: Record<string, Form> = {
  "multiples of 16": { T: 5, N: 12, I: 16, H: 32, F: 32, state: true },
  "odd sizes": {
    ...{ T: 7, N: 13, I: 19, H: 37, F: 21, state: true },
    lengths: [7, 1, 3, 0, 7, 5, 2, 6, 4, 7, 1, 2, 3],
  },
};

describe.each(cells)("%s", (cell) => {
  for (const [form, options] of Object.entries({ ...small, ...large })) {
    it(`agrees with the float64 reference: ${form}`, () => checkParity(opCase(cell, form, options)));
  }
  for (const [form, options] of Object.entries(small)) {
    it(`has the gradient that finite differences give: ${form}`, () =>
      checkGradients(opCase(cell, form, options)));
  }
});

it("says what does not fit", () => {
  const fit = {
    input: zeros([5, 2, 3]),
    weightIh: zeros([16, 3]),
    weightHh: zeros([16, 6]),
    weightIm: zeros([6, 3]),
    weightHm: zeros([6, 4]),
  };
  const fail = (changed: object) => expect(() => mlstm({ ...fit, ...changed }));
  fail({ weightHm: zeros([6]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: mlstm: weightHm must be [F, H], got [6]]`,
  );
  fail({ weightHm: zeros([5, 4]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: mlstm: weightHh must be [16, 5], got [16, 6]]`,
  );
  fail({ weightIm: zeros([6, 4]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: mlstm: weightIm must be [6, 3], got [6, 4]]`,
  );
  fail({ weightIm: zeros([6, 3], "int32") }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: mlstm: weightIm must be float32, got int32]`,
  );
  fail({ c0: zeros([2, 3]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: mlstm: c0 must be [2, 4], got [2, 3]]`,
  );
  expect(() => mrnn(fit)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: mrnn: weightHh must be [4, 6], got [16, 6]]`,
  );
});
