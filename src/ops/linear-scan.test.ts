import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads, threads } from "../engine/engine.ts";
import { Generator } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { complexScan, linearScan } from "./linear-scan.ts";

interface Options {
  T?: number;
  N?: number;
  H?: number;
  state?: boolean;
  lengths?: number[];
  reverse?: boolean;
  results?: ("output" | "h")[];
}

const scaled = (shape: Shape, scale: number) => {
  const generator = new Generator(4, shape.length);
  const length = shape.reduce((a, b) => a * b, 1);
  return Float64Array.from({ length }, () => Math.fround(scale * generator.normal()));
};

function linearCase(name: string, options: Options = {}): OpCase {
  const { T = 4, N = 3, H = 5, lengths, reverse = false, results = ["output", "h"] } = options;
  const shapes: Record<string, Shape> = { a: [T, N, H], b: [T, N, H] };
  if (options.state) shapes.h0 = [N, H];
  if (lengths) shapes.lengths = [N];
  const values = { a: scaled(shapes.a!, 0.6), ...(lengths && { lengths: Int32Array.from(lengths) }) };
  return {
    name: `linearScan: ${name}`,
    shapes,
    values,
    run({ a, b, ...rest }) {
      const made = linearScan(a!, b!, { ...rest, reverse });
      return results.map((key) => made[key]);
    },
  };
}

function complexCase(name: string, options: Options = {}): OpCase {
  const { T = 4, N = 3, H = 5, lengths, reverse = false, results = ["output", "h"] } = options;
  const shapes: Record<string, Shape> = { lambda: [2, H], x: [T, N, 2 * H] };
  if (options.state) shapes.h0 = [N, 2 * H];
  if (lengths) shapes.lengths = [N];
  const values = { lambda: scaled([2, H], 0.6), ...(lengths && { lengths: Int32Array.from(lengths) }) };
  return {
    name: `complexScan: ${name}`,
    shapes,
    values,
    run({ lambda, x, ...rest }) {
      const made = complexScan(lambda!, x!, { ...rest, reverse });
      return results.map((key) => made[key]);
    },
  };
}

const lengths = [2, 0, 4];
const small = [linearCase, complexCase].flatMap((make) => [
  make("plain"),
  make("one step from a state", { T: 1, state: true }),
  make("gradient from the output alone", { state: true, results: ["output"] }),
  make("gradient from the last state alone", { state: true, results: ["h"] }),
  make("reverse", { state: true, reverse: true }),
  make("lengths", { lengths }),
  make("lengths, reverse, from a state", { lengths, reverse: true, state: true }),
]);

describe.each(small)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it.each([
  linearCase("vectors, blocks and a tail", { T: 9, N: 5, H: 77, state: true, lengths: [9, 1, 0, 5, 8] }),
  complexCase("vectors, blocks and a tail", { T: 9, N: 5, H: 45, state: true, lengths: [9, 1, 0, 5, 8] }),
])("agrees with the reference in sizes that fill vectors: $name", (test) => checkParity(test));

type Run = (values: Float32Array, lengths?: Tensor) => (Tensor | undefined)[];

/** Output, state and gradients over x [T, N, 2·H], of either scan. */
function runs(T: number, N: number, H: number, reverse: boolean): Record<string, Run> {
  const objective = (made: { output: Tensor; h: Tensor }, inputs: Tensor[]) => {
    const seeds = [made.output, made.h].map(({ storage }) => ({
      storage,
      grad: new Float32Array(storage.length).fill(1),
    }));
    made.h.storage.scope!.backwardFrom(seeds);
    return [made.output, made.h, ...inputs.map((t) => t.grad)];
  };
  const input = (values: ArrayLike<number>, shape: Shape) =>
    tensor(Float32Array.from(values), shape, { requiresGrad: true });
  const state = new Float32Array(2 * N * H).map((_, i) => Math.cos(i));
  return {
    linear: (x, lengths) =>
      step(() => {
        const a = input(
          x.map((v) => v / 3),
          [T, N, 2 * H],
        );
        const b = input(x, [T, N, 2 * H]);
        const h0 = input(state, [N, 2 * H]);
        return objective(linearScan(a, b, { h0, lengths, reverse }), [a, b, h0]);
      }) as Tensor[],
    complex: (x, lengths) =>
      step(() => {
        const lambda = input(
          new Float32Array(2 * H).map((_, i) => Math.sin(i) / 2),
          [2, H],
        );
        const b = input(x, [T, N, 2 * H]);
        const h0 = input(state, [N, 2 * H]);
        return objective(complexScan(lambda, b, { h0, lengths, reverse }), [lambda, b, h0]);
      }) as Tensor[],
  };
}

const bitsOf = (tensors: (Tensor | undefined)[]) => tensors.map((t) => [...t!.toArray()]);

describe.each(["linear", "complex"])("%s scan", (kind) => {
  const values = (size: number) => new Float32Array(size).map((_, i) => Math.sin(1 + 7 * i));

  it("has the same bits on one, two and three threads", () => {
    const [T, N, H] = [40, 9, 70];
    const run = runs(T, N, H, false)[kind]!;
    const before = threads();
    setThreads(1);
    const expected = bitsOf(run(values(2 * T * N * H)));
    for (const count of [2, 3]) {
      setThreads(count);
      expect(bitsOf(run(values(2 * T * N * H)))).toEqual(expected);
    }
    setThreads(before);
  });

  it.each([false, true])("what is in the padding makes no difference, reverse %s", (reverse) => {
    const [T, N, H] = [5, 4, 3];
    const lengths = [3, 5, 0, 1];
    const run = runs(T, N, H, reverse)[kind]!;
    const x = values(2 * T * N * H);
    const poisoned = x.map((v, i) => {
      const row = Math.floor(i / (2 * H));
      return Math.floor(row / N) >= lengths[row % N]! ? Number.NaN : v;
    });
    const clean = bitsOf(run(x, tensor(Int32Array.from(lengths))));
    expect(bitsOf(run(poisoned, tensor(Int32Array.from(lengths))))).toEqual(clean);
    expect(clean.flat().every(Number.isFinite)).toBe(true);
  });
});

it("gives the bits of step by step", () => {
  const [T, N, H] = [6, 2, 21];
  const a = tensor(
    new Float32Array(T * N * H).map((_, i) => Math.sin(i)),
    [T, N, H],
  );
  const whole = linearScan(a, a);
  let h: Tensor | undefined;
  const outputs: number[] = [];
  for (let t = 0; t < T; t++) {
    const at = tensor(a.toArray().slice(t * N * H, (t + 1) * N * H), [1, N, H]);
    const made = linearScan(at, at, { h0: h });
    outputs.push(...made.output.toArray());
    h = made.h;
  }
  expect(outputs).toEqual([...whole.output.toArray()]);
  expect(h!.toArray()).toEqual(whole.h.toArray());
});

it("says what does not fit", () => {
  expect(() => linearScan(zeros([2, 3]), zeros([2, 3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: linearScan: a must be [time, batch, features], got [2, 3]]`,
  );
  expect(() => linearScan(zeros([2, 3, 4]), zeros([2, 3, 5]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: linearScan: b must be [2, 3, 4], got [2, 3, 5]]`,
  );
  expect(() =>
    linearScan(zeros([2, 3, 4]), zeros([2, 3, 4]), { h0: zeros([4]) }),
  ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: linearScan: h0 must be [3, 4], got [4]]`);
  expect(() => complexScan(zeros([2, 2]), zeros([2, 3, 5]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: complexScan: x must be [time, batch, 2·H], real and imaginary parts, got [2, 3, 5]]`,
  );
  expect(() => complexScan(zeros([2]), zeros([2, 3, 4]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: complexScan: lambda must be [2, 2], got [2]]`,
  );
});
