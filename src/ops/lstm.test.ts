import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { control } from "../engine/control.ts";
import { getEngine, setThreads, threads } from "../engine/engine.ts";
import { Generator } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase, runCase } from "../testing/check-op.ts";
import { lstm } from "./lstm.ts";

interface Options {
  T?: number;
  N?: number;
  I?: number;
  H?: number;
  P?: number;
  biases?: ("biasIh" | "biasHh")[];
  state?: boolean;
  peephole?: boolean;
  lengths?: number[];
  reverse?: boolean;
  /** Which results the gradient comes from. */
  results?: ("output" | "h" | "c")[];
}

function lstmCase(name: string, options: Options = {}): OpCase {
  const { T = 4, N = 3, I = 2, H = 3, P, lengths, reverse = false } = options;
  const { biases = ["biasIh", "biasHh"], results = ["output", "h", "c"] } = options;
  const R = P ?? H;
  const shapes: Record<string, Shape> = { x: [T, N, I], weightIh: [4 * H, I], weightHh: [4 * H, R] };
  for (const bias of biases) shapes[bias] = [4 * H];
  if (options.state) Object.assign(shapes, { h0: [N, R], c0: [N, H] });
  if (P) shapes.weightHr = [P, H];
  if (options.peephole) shapes.peephole = [3, H];
  if (lengths) shapes.lengths = [N];
  return {
    name,
    shapes,
    ...(lengths ? { values: { lengths: Int32Array.from(lengths) } } : {}),
    run({ x, weightIh, weightHh, ...rest }) {
      const made = lstm({ input: x!, weightIh: weightIh!, weightHh: weightHh!, ...rest }, { reverse });
      return results.map((key) => made[key]);
    },
  };
}

const lengths = [2, 0, 4];
const cases = [
  lstmCase("plain"),
  lstmCase("without biases", { biases: [] }),
  lstmCase("one bias", { biases: ["biasHh"] }),
  lstmCase("initial state", { state: true }),
  lstmCase("one step", { T: 1, state: true }),
  lstmCase("gradient from the output alone", { state: true, results: ["output"] }),
  lstmCase("gradient from the last h alone", { results: ["h"] }),
  lstmCase("gradient from the last c alone", { results: ["c"] }),
  lstmCase("reverse", { state: true, reverse: true }),
  lstmCase("lengths", { state: true, lengths }),
  lstmCase("lengths, no initial state", { lengths }),
  lstmCase("lengths, reverse", { state: true, lengths, reverse: true }),
  lstmCase("peepholes", { state: true, peephole: true }),
  lstmCase("peepholes, lengths, reverse", { state: true, peephole: true, lengths, reverse: true }),
  lstmCase("projection", { state: true, P: 2 }),
  lstmCase("projection, peepholes, lengths", { state: true, P: 2, peephole: true, lengths }),
  lstmCase("projection, lengths, reverse", { state: true, P: 2, lengths, reverse: true }),
];

describe.each(cases)("lstm: $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

describe("in sizes that fill vectors, tiles and threads", () => {
  const N = 13;
  const all = { N, I: 18, state: true, peephole: true, lengths: Array.from({ length: N }, (_, n) => n % 8) };
  /** Weights as a layer would start with: with standard normals the state is chaotic. */
  const scaled = (test: OpCase): OpCase => {
    const values = { ...test.values };
    for (const name of ["weightIh", "weightHh", "weightHr"]) {
      const shape = test.shapes[name];
      if (!shape) continue;
      const generator = new Generator(3, name.length);
      const length = shape[0]! * shape[1]!;
      values[name] = Float64Array.from({ length }, () => Math.fround(0.15 * generator.normal()));
    }
    return { ...test, values };
  };
  it.each([
    lstmCase("units in blocks of 8", { T: 7, N, I: 40, H: 48 }),
    lstmCase("rows enough for both threads", { T: 5, N: 40, I: 24, H: 24 }),
    lstmCase("units that leave a tail", { T: 7, ...all, H: 45 }),
    lstmCase("a tail and a projection, reverse", { T: 7, ...all, H: 45, P: 21, reverse: true }),
  ])("agrees with the reference: $name", (test) => checkParity(scaled(test)));
});

const flat = (test: OpCase) => {
  const { outputs, grads } = runCase(test);
  return new Map([...outputs.map((v, i) => [`output ${i}`, v] as const), ...Object.entries(grads)]);
};

it("has the same bits with any number of threads and any tile", () => {
  const N = 11;
  const test = lstmCase("bits", {
    ...{ T: 6, N, I: 33, H: 44, P: 39, state: true, peephole: true },
    lengths: Array.from({ length: N }, (_, n) => n % 7),
    reverse: true,
  });
  const wideTiles = getEngine().memory.i32(control.wideTiles, 1);
  const before = { threads: threads(), wide: wideTiles[0]! };
  setThreads(1);
  const expected = flat(test);
  for (const [count, wide] of [
    [2, 0],
    [3, 1],
    [1, 1 - before.wide],
  ] as const) {
    setThreads(count);
    wideTiles[0] = wide;
    for (const [name, values] of flat(test)) expect(values, name).toEqual(expected.get(name));
  }
  setThreads(before.threads);
  wideTiles[0] = before.wide;
});

describe.each([
  ["plain", undefined],
  ["with peepholes and a projection", 4],
] as const)("with lengths, %s", (_, P) => {
  const [T, N, I, H] = [5, 4, 3, 6];
  const R = P ?? H;
  const lengths = [3, 5, 0, 1];
  const generator = new Generator(5);
  const draw = (shape: Shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float32Array.from({ length: size }, () => generator.normal()),
      shape,
    );
  };
  const weights = {
    weightIh: draw([4 * H, I]),
    weightHh: draw([4 * H, R]),
    biasIh: draw([4 * H]),
    ...(P ? { weightHr: draw([P, H]), peephole: draw([3, H]) } : {}),
  };
  const state = { h0: draw([N, R]), c0: draw([N, H]) };
  const x = draw([T, N, I]).toArray();

  function gradients(values: ArrayLike<number>, reverse: boolean) {
    const inputs = { input: tensor(Float32Array.from(values), [T, N, I]), ...weights, ...state };
    for (const t of Object.values(inputs)) {
      t.requiresGrad = true;
      t.storage.grad = undefined;
    }
    const made = step(() => {
      const made = lstm({ ...inputs, lengths: tensor(Int32Array.from(lengths)) }, { reverse });
      const { scope } = made.h.storage;
      const seeds = [made.output, made.h, made.c].map(({ storage }) => ({
        storage,
        grad: new Float32Array(storage.length).fill(1),
      }));
      scope!.backwardFrom(seeds);
      return { ...made, grads: Object.values(inputs).map((t) => t.grad!) };
    });
    return [made.output, made.h, made.c, ...made.grads].map((t: Tensor) => [...t.toArray()]);
  }

  it.each([false, true])("what is in the padding makes no difference, reverse %s", (reverse) => {
    const clean = gradients(x, reverse);
    const poisoned = x.map((value, i) => {
      const row = Math.floor(i / I);
      return Math.floor(row / N) >= lengths[row % N]! ? Number.NaN : value;
    });
    expect(gradients(poisoned, reverse)).toEqual(clean);
    expect(clean.flat().every(Number.isFinite)).toBe(true);
  });

  it.each([false, true])("a sequence gives the bits it gives alone, reverse %s", (reverse) => {
    const together = gradients(x, reverse);
    lengths.forEach((length, n) => {
      if (length === 0) return;
      const mine = (values: ArrayLike<number>, width: number, count: number) =>
        Float32Array.from({ length: count * width }, (_, i) => {
          return values[(Math.floor(i / width) * N + n) * width + (i % width)]!;
        });
      const { output, h, c } = lstm(
        {
          input: tensor(mine(x, I, length), [length, 1, I]),
          ...weights,
          h0: tensor(mine(state.h0.toArray(), R, 1), [1, R]),
          c0: tensor(mine(state.c0.toArray(), H, 1), [1, H]),
        },
        { reverse },
      );
      expect(output.toArray()).toEqual(mine(together[0]!, R, length));
      expect(h.toArray()).toEqual(mine(together[1]!, R, 1));
      expect(c.toArray()).toEqual(mine(together[2]!, H, 1));
    });
  });
});

it("says what does not fit", () => {
  const inputs = { input: zeros([5, 2, 3]), weightIh: zeros([16, 3]), weightHh: zeros([16, 4]) };
  const fail = (changed: object) => expect(() => lstm({ ...inputs, ...changed }));
  fail({ input: zeros([5, 2, 4]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: lstm: input must be [time, batch, 3], got [5, 2, 4]]`,
  );
  fail({ c0: zeros([2, 3]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: lstm: c0 must be [2, 4], got [2, 3]]`,
  );
  fail({ peephole: zeros([4, 3]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: lstm: peephole must be [3, 4], got [4, 3]]`,
  );
  fail({ weightHr: zeros([2, 4]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: lstm: weightHh must be [4·H, 2], got [16, 4]]`,
  );
  fail({ weightHr: zeros([4]) }).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: lstm: weightHr must be [P, H], got [4]]`,
  );
});
