import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { getEngine, setThreads, threads } from "../engine/engine.ts";
import { hasRelaxedSimd } from "../engine/features.ts";
import { useInt8Weights } from "../nn/int8.ts";
import { Linear } from "../nn/linear.ts";
import { GRU } from "../nn/recurrent/gru.ts";
import { LSTM } from "../nn/recurrent/lstm.ts";
import { MinGRU } from "../nn/recurrent/minimal.ts";
import { RNN } from "../nn/recurrent/rnn.ts";
import { parameter, type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { withReference } from "../testing/reference-backend.ts";
import { embedding } from "./gather.ts";
import { gru } from "./gru.ts";
import { toInt8 } from "./int8.ts";
import { linear } from "./linear.ts";
import { relu } from "./pointwise.ts";

const before = threads();
afterEach(() => setThreads(before));

const noise = (shape: number[], seed = 1) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed + i * i)),
    shape,
  );
const bytes = (t: Tensor) => Buffer.from(t.toArray().buffer).toString("base64");
const f32 = Math.fround;

/** To the nearest whole number, halves to the even one. */
function nearest(x: number): number {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + (low % 2 ? 1 : 0) : Math.round(x);
}

/** Rows as whole multiples, up to so many, of a scale each. */
function rounded(t: Tensor, levels: number): { q: number[]; scale: number }[] {
  const values = t.toArray();
  const k = t.shape.at(-1)!;
  return Array.from({ length: values.length / k }, (_, row) => {
    const own = [...values.subarray(row * k, row * k + k)];
    const most = Math.max(...own.map(Math.abs));
    const inverse = most === 0 ? 0 : f32(levels / most);
    return { q: own.map((v) => nearest(f32(v * inverse))), scale: f32(most / levels) };
  });
}

/** x·Wᵀ + b as assembly/int8.ts describes it, plainly. */
function plainly(x: Tensor, weight: Tensor, bias: Tensor): number[] {
  const w = rounded(weight, 127);
  const b = bias.toArray();
  return rounded(x, 63).flatMap((a) =>
    w.map((row, j) => {
      const sum = row.q.reduce((total, q, i) => total + q * a.q[i]!, 0);
      return f32(b[j]! + f32(f32(sum) * f32(a.scale * row.scale)));
    }),
  );
}

describe("a product with int8 weights", () => {
  it.each([
    [1, 85, 300],
    [5, 149, 33],
    [2, 3, 2],
  ])("is the plain one to the bit, %i × %i × %i", (m, n, k) => {
    const [x, weight, bias] = [noise([m, k]), noise([n, k], 2), noise([n], 3)];
    expect([...linear(x, toInt8(weight), bias).toArray()]).toEqual(plainly(x, weight, bias));
  });

  it("does not saturate where all numbers are the largest, and takes zeros", () => {
    const [k, n] = [400, 66];
    const [x, bias] = [tensor(new Float32Array(2 * k).fill(3).fill(-3, k), [2, k]), zeros([n])];
    const weight = tensor(
      Float32Array.from({ length: n * k }, (_, i) => [2, -2, 0][Math.floor(i / k) % 3]!),
      [n, k],
    );
    const y = [...linear(x, toInt8(weight), bias).toArray()];
    expect(y).toEqual(plainly(x, weight, bias));
    expect(y.slice(0, 3)).toEqual([3 * 2 * k, -3 * 2 * k, 0].map((v) => expect.closeTo(v, 3)));
    expect([...linear(zeros([2, k]), toInt8(weight)).toArray()].every((v) => v === 0)).toBe(true);
  });

  it("has the same bits for any threads, and for a row alone", () => {
    const [x, weight] = [noise([3, 700]), toInt8(noise([900, 700], 2))];
    const [one, two] = [1, 2].map((count) => {
      setThreads(count);
      return bytes(linear(x, weight));
    });
    expect(two).toBe(one);
    const last = tensor(x.toArray().slice(1400) as Float32Array, [1, 700]);
    expect([...linear(last, weight).toArray()]).toEqual([...linear(x, weight).toArray().slice(1800)]);
  });

  it.skipIf(!hasRelaxedSimd())("has the same bits on the relaxed build and on the plain one", () => {
    const program = `
      const { toInt8, linear, tensor } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url))});
      const noise = (m, n) => tensor(Float32Array.from({ length: m * n }, (_, i) => Math.sin(i * i)), [m, n]);
      console.log(JSON.stringify([...linear(noise(3, 301), toInt8(noise(85, 301)), noise(1, 85).reshape(85)).toArray()]));
      process.exit();
    `;
    const [relaxed, plain] = ["relaxed", "plain"].map((build) => {
      const flags = ["--conditions=source", "--input-type=module", "--eval", program];
      const env = { ...process.env, UNROLLED_SIMD: build };
      const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: "utf8", env });
      expect(stderr).toBe("");
      return stdout;
    });
    expect(plain).toBe(relaxed);
    expect(JSON.parse(plain!)).toHaveLength(255);
  });

  it("tells of numbers that are not finite", () => {
    const y = linear(
      tensor([
        [1, Number.NaN],
        [1, 2],
        [1, Number.POSITIVE_INFINITY],
      ]),
      toInt8(noise([3, 2])),
    );
    expect([...y.toArray()].map(Number.isFinite)).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0].map(Boolean));
  });
});

it("an embedding of int8 gives its rounded rows", () => {
  const weight = noise([40, 7]);
  const rows = rounded(weight, 127);
  const tokens = [3, 39, 3, 0];
  const y = embedding(tensor(Int32Array.from(tokens)), toInt8(weight)).toArray();
  expect([...y]).toEqual(tokens.flatMap((t) => rows[t]!.q.map((q) => f32(q * rows[t]!.scale))));
});

const kinds = {
  RNN: () => new RNN({ inputSize: 9, hiddenSize: 21, numLayers: 2 }),
  GRU: () => new GRU({ inputSize: 9, hiddenSize: 21, numLayers: 2 }),
  LSTM: () => new LSTM({ inputSize: 9, hiddenSize: 21, numLayers: 2, weightDrop: 0.5 }).eval(),
  "LSTM, projected, with peepholes": () =>
    new LSTM({ inputSize: 9, hiddenSize: 21, numLayers: 2, projSize: 13, peepholes: true, bias: false }),
};

describe.each(Object.entries(kinds))("%s with int8 weights", (_, make) => {
  const layer = make();
  const small = make();
  small.loadStateDict(layer.stateDict());
  useInt8Weights(small);
  const input = noise([40, 3, 9]);

  it("comes close to the float32 one", () => {
    const [exact, close] = [layer, small].map((l) => l.forward(input).output.toArray());
    const error = Math.max(...exact!.map((v, i) => Math.abs(v - close![i]!)));
    expect(error).toBeGreaterThan(1e-6);
    expect(error).toBeLessThan(0.03);
  });

  it("streams the bits of its forward, step by step and many at once", () => {
    const whole = [...small.forward(input).output.toArray()];
    const stream = layer.stream({ batchSize: 3, weights: "int8" });
    const x = input.toArray() as Float32Array;
    const single = Array.from({ length: 40 }, (_, t) => [...stream.step(x.subarray(27 * t, 27 * t + 27))]);
    expect(single.flat()).toEqual(whole);
    stream.reset();
    expect([...stream.steps(x)]).toEqual(whole);
    expect([...small.stream({ batchSize: 3 }).steps(x)]).toEqual(whole);
  });

  it("gives a sequence the same bits alone and padded in a batch", () => {
    const padded = input.toArray() as Float32Array;
    for (let t = 25; t < 40; t++) padded.fill(0, 27 * t + 9, 27 * t + 18);
    const lengths = tensor(Int32Array.of(40, 25, 40));
    const { output, state } = small.forward(tensor(padded, [40, 3, 9]), { lengths });
    const one = Float32Array.from({ length: 225 }, (_, i) => padded[27 * Math.floor(i / 9) + 9 + (i % 9)]!);
    const alone = small.forward(tensor(one, [25, 1, 9]));
    const R = small.outputSize;
    const row = Array.from({ length: 25 }, (_, t) => [
      ...output.toArray().subarray(3 * R * t + R, 3 * R * t + 2 * R),
    ]);
    expect(row.flat()).toEqual([...alone.output.toArray()]);
    expect([...state.h.toArray().subarray(R, 2 * R)]).toEqual([...alone.state.h.toArray().subarray(0, R)]);
  });
});

it("a stream takes no memory for its steps", () => {
  const { memory } = getEngine();
  const stream = kinds.LSTM().stream({ weights: "int8" });
  const x = new Float32Array(9 * 50).fill(0.1);
  stream.steps(x);
  const [size, mark] = [memory.size, memory.mark()];
  for (let i = 0; i < 1000; i++) stream.step(x.subarray(0, 9));
  for (let i = 0; i < 20; i++) stream.steps(x);
  expect([memory.size, memory.mark()]).toEqual([size, mark]);
});

it("weights that are tied stay one", () => {
  const output = new Linear(5, 40);
  const tied = new Linear(5, 40);
  (tied as { weight: Tensor }).weight = output.weight;
  const model = new Linear(1, 1) as Linear & { parts: Linear[] };
  model.parts = [output, tied];
  useInt8Weights(model);
  expect(output.weight.dtype).toBe("int8");
  expect(tied.weight).toBe(output.weight);
  expect(output.bias!.dtype).toBe("float32");
});

it("errors say what is expected", () => {
  expect(() => toInt8(zeros([3]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: toInt8: weight must be [rows, columns], of 131072 columns at most, got [3]]`,
  );
  expect(() =>
    toInt8(
      tensor([
        [1, 2],
        [1, Number.NaN],
      ]),
    ),
  ).toThrowErrorMatchingInlineSnapshot(`[DataError: toInt8: weight must be finite, row 1 is not]`);
  expect(() => withReference(() => toInt8(zeros([2, 2])))).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: toInt8: must run on the WebAssembly kernels, the reference computes in float64]`,
  );
  const weight = toInt8(noise([4, 2]));
  expect(() => weight.toArray()).toThrowErrorMatchingInlineSnapshot(`
    [UsageError: tensor: int8 weights can neither be read nor written
    hint: keep the float32 weights that they were made of]
  `);
  expect(() => relu(weight)).toThrow("must be float32, got int8");
  expect(() => zeros([2], "int8")).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: tensor: int8 holds packed weights, which toInt8 makes of a float32 matrix]`,
  );
  const x = parameter(new Float32Array(2), [1, 2]);
  expect(() => step(() => linear(x, weight))).toThrowErrorMatchingInlineSnapshot(`
    [UsageError: linear: int8 weights are for inference, nothing can be differentiated through them
    hint: train with the float32 weights, or compute in noGrad()]
  `);
  const [weightIh, weightHh] = [toInt8(noise([6, 2])), toInt8(noise([6, 2]))];
  expect(() => gru({ input: zeros([1, 1, 2]), weightIh, weightHh }, { resetAfter: false })).toThrow(
    "gru: int8 weights need resetAfter",
  );
  const sizes = { inputSize: 2, hiddenSize: 3 };
  expect(() => new LSTM(sizes).stream({ weights: "int4" as "int8" })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: weights must be float32 or int8, got int4]`,
  );
  expect(() => new MinGRU(sizes).stream({ weights: "int8" })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: MinGRU: weights must be float32, its cell has no int8 products]`,
  );
});
