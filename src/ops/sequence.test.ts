import { describe, expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type Inputs, type OpCase } from "../testing/check-op.ts";
import { gru } from "./gru.ts";
import { rnn } from "./rnn.ts";
import type { SequenceInputs } from "./sequence.ts";

interface Cell {
  name: string;
  gates: number;
  run(inputs: SequenceInputs, options: { reverse: boolean }): { output: Tensor; h: Tensor };
}

const cells: Cell[] = [
  { name: "rnn tanh", gates: 1, run: (inputs, options) => rnn(inputs, options) },
  {
    name: "rnn relu",
    gates: 1,
    run: (inputs, options) => rnn(inputs, { ...options, nonlinearity: "relu" }),
  },
  {
    name: "rnn sigmoid",
    gates: 1,
    run: (inputs, options) => rnn(inputs, { ...options, nonlinearity: "sigmoid" }),
  },
  { name: "gru, reset after", gates: 3, run: (inputs, options) => gru(inputs, options) },
  {
    name: "gru, reset before",
    gates: 3,
    run: (inputs, options) => gru(inputs, { ...options, resetAfter: false }),
  },
];

interface Form {
  T?: number;
  N?: number;
  I?: number;
  H?: number;
  biases?: readonly ("biasIh" | "biasHh")[];
  h0?: boolean;
  lengths?: number[];
  reverse?: boolean;
}

const small: Record<string, Form> = {
  plain: {},
  "one step": { T: 1, h0: true },
  "without biases": { biases: [] },
  "one bias": { biases: ["biasIh"] },
  "the other bias": { biases: ["biasHh"] },
  "initial state": { h0: true },
  reverse: { reverse: true },
  "reverse, initial state": { reverse: true, h0: true },
  lengths: { lengths: [2, 0, 4] },
  "lengths, initial state": { lengths: [4, 1, 0], h0: true },
  "lengths, reverse": { lengths: [1, 4, 2], reverse: true },
  "lengths, reverse, initial state": { lengths: [3, 0, 2], reverse: true, h0: true },
};

/** Sizes with and without tails, and enough work for two threads. */
const large: Record<string, Form> = {
  "multiples of 16": { T: 5, N: 12, I: 16, H: 32, h0: true },
  "odd sizes": { T: 7, N: 13, I: 19, H: 37, h0: true, lengths: [7, 1, 3, 0, 7, 5, 2, 6, 4, 7, 1, 2, 3] },
  "odd sizes, reverse": { T: 7, N: 5, I: 3, H: 50, h0: true, lengths: [7, 1, 3, 0, 6], reverse: true },
  "one sequence": { T: 20, N: 1, I: 8, H: 24 },
  "two threads": { T: 9, N: 20, I: 24, H: 48, h0: true },
};

function opCase({ name, gates, run }: Cell, form: string, options: Form): OpCase {
  const { T = 4, N = 3, I = 3, H = 5, h0 = false, lengths, reverse = false } = options;
  const { biases = ["biasIh", "biasHh"] } = options;
  const shapes: Record<string, Shape> = {
    input: [T, N, I],
    weightIh: [gates * H, I],
    weightHh: [gates * H, H],
  };
  for (const bias of biases) shapes[bias] = [gates * H];
  if (h0) shapes.h0 = [N, H];
  // Of the size that layers start from: large weights would make the network chaotic and the rounding errors grow.
  const generator = new Generator(5);
  const draw = (size: number) =>
    Float64Array.from({ length: size }, () => Math.fround(generator.normal() / Math.sqrt(H)));
  const values: Inputs = { weightIh: draw(gates * H * I), weightHh: draw(gates * H * H) };
  if (lengths) {
    shapes.lengths = [N];
    values.lengths = Int32Array.from(lengths);
  }
  return {
    name: `${name}: ${form}`,
    shapes,
    values,
    run(inputs) {
      const { output, h } = run(inputs as unknown as SequenceInputs, { reverse });
      return [output, h];
    },
  };
}

describe.each(cells)("$name", (cell) => {
  for (const [form, options] of Object.entries({ ...small, ...large })) {
    it(`agrees with the float64 reference: ${form}`, () => checkParity(opCase(cell, form, options)));
  }
  for (const [form, options] of Object.entries(small)) {
    it(`has the gradient that finite differences give: ${form}`, () =>
      checkGradients(opCase(cell, form, options)));
  }
});

describe("messages", () => {
  const fit = {
    input: zeros([5, 2, 3]),
    weightIh: zeros([12, 3]),
    weightHh: zeros([12, 4]),
  };
  const message = (change: Partial<SequenceInputs>) => {
    try {
      gru({ ...fit, ...change });
    } catch (error) {
      return (error as Error).message;
    }
    return "accepted";
  };

  it("say what was expected and what came", () => {
    expect(message({})).toBe("accepted");
    expect(message({ input: zeros([5, 2, 4]) })).toMatchInlineSnapshot(
      `"gru: input must be [time, batch, 3], got [5, 2, 4]"`,
    );
    expect(message({ input: zeros([5, 3]) })).toMatchInlineSnapshot(
      `"gru: input must be [time, batch, 3], got [5, 3]"`,
    );
    expect(message({ input: zeros([0, 2, 3]) })).toMatchInlineSnapshot(
      `"gru: input must have a time step and a sequence at least, got [0, 2, 3]"`,
    );
    expect(message({ input: zeros([5, 2, 3], "int32") })).toMatchInlineSnapshot(
      `"gru: input must be float32, got int32"`,
    );
    expect(message({ weightHh: zeros([12, 5]) })).toMatchInlineSnapshot(
      `"gru: weightHh must be [3·H, H], got [12, 5]"`,
    );
    expect(message({ weightIh: zeros([9, 3]) })).toMatchInlineSnapshot(
      `"gru: weightIh must be [12, input size], got [9, 3]"`,
    );
    expect(message({ biasHh: zeros([4]) })).toMatchInlineSnapshot(`"gru: biasHh must be [12], got [4]"`);
    expect(message({ h0: zeros([4]) })).toMatchInlineSnapshot(`"gru: h0 must be [2, 4], got [4]"`);
    expect(message({ h0: tensor(0) })).toMatchInlineSnapshot(`"gru: h0 must be [2, 4], got []"`);
    expect(message({ lengths: zeros([2]) })).toMatchInlineSnapshot(
      `"gru: lengths must be int32, got float32"`,
    );
    expect(message({ lengths: zeros([3], "int32") })).toMatchInlineSnapshot(
      `"gru: lengths must be [2], got [3]"`,
    );
    expect(message({ lengths: tensor(new Int32Array([6, 1])) })).toMatchInlineSnapshot(
      `"gru: lengths must be from 0 to 5, got 6 for sequence 0"`,
    );
  });
});
