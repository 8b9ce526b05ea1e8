import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { getEngine } from "../engine/engine.ts";
import type { Shape } from "../tensor/shape.ts";
import { type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, expectClose, type Inputs, type OpCase, runCase } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { add, mul, sub } from "./binary.ts";
import { gru } from "./gru.ts";
import { linear } from "./linear.ts";
import { lstm } from "./lstm.ts";
import { holdState, maskPadding } from "./padding.ts";
import { sigmoid, tanh } from "./pointwise.ts";
import { type ScanOptions, scan } from "./scan.ts";
import { slice } from "./slice.ts";

const T = 6;
const N = 4;
const I = 3;
const H = 5;

type Tensors = Record<string, Tensor>;

function gruByScan(inputs: Tensors, options: ScanOptions): Tensor[] {
  const { input, weightIh, weightHh, biasIh, biasHh, h0 } = inputs;
  const gate = (x: Tensor, k: number) => slice(x, 1, k * H, (k + 1) * H);
  const { output, state } = scan(
    (x, h) => {
      const fromInput = linear(x, weightIh!, biasIh);
      const fromState = linear(h, weightHh!, biasHh);
      const r = sigmoid(add(gate(fromInput, 0), gate(fromState, 0)));
      const z = sigmoid(add(gate(fromInput, 1), gate(fromState, 1)));
      const n = tanh(add(gate(fromInput, 2), mul(r, gate(fromState, 2))));
      const next = add(n, mul(z, sub(h, n)));
      return { output: next, state: next };
    },
    input!,
    h0!,
    options,
  );
  return [output, state];
}

function lstmByScan(inputs: Tensors, options: ScanOptions): Tensor[] {
  const { input, weightIh, weightHh, biasIh, biasHh, h0, c0 } = inputs;
  const { output, state } = scan(
    (x, { h, c }) => {
      const gates = add(linear(x, weightIh!, biasIh), linear(h, weightHh!, biasHh));
      const [i, f, g, o] = [0, 1, 2, 3].map((k) => slice(gates, 1, k * H, (k + 1) * H)) as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ];
      const cell = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
      const next = mul(sigmoid(o), tanh(cell));
      return { output: next, state: { h: next, c: cell } };
    },
    input!,
    { h: h0!, c: c0! },
    options,
  );
  return [output, state.h, state.c];
}

const forms: Record<string, { lengths?: number[]; reverse?: boolean }> = {
  forwards: {},
  backwards: { reverse: true },
  "lengths, forwards": { lengths: [3, 6, 0, 1] },
  "lengths, backwards": { lengths: [6, 2, 5, 0], reverse: true },
};

describe.each(Object.entries(forms))("scan %s", (form, { lengths, reverse = false }) => {
  const options = (inputs: Tensors): ScanOptions => ({ lengths: inputs.lengths, reverse });

  /** Two ways to compute the same, on both backends. */
  function expectEqual(gates: number, states: string[], ways: ((inputs: Tensors) => Tensor[])[]): void {
    const rows = gates * H;
    const shapes: Record<string, Shape> = {
      input: [T, N, I],
      weightIh: [rows, I],
      weightHh: [rows, H],
      biasIh: [rows],
      biasHh: [rows],
    };
    for (const name of states) shapes[name] = [N, H];
    const values: Inputs = {};
    if (lengths) {
      shapes.lengths = [N];
      values.lengths = Int32Array.from(lengths);
    }
    const run = () => ways.map((way) => runCase({ name: form, shapes, values, run: way }));
    for (const [[actual, expected], tolerance] of [
      [withReference(run), 1e-10],
      [run(), 1e-5],
    ] as const) {
      expected!.outputs.forEach((output, i) => {
        expectClose(`output ${i}`, actual!.outputs[i]!, output, tolerance);
      });
      for (const [name, grad] of Object.entries(expected!.grads)) {
        expectClose(`gradient of ${name}`, actual!.grads[name]!, grad, tolerance);
      }
    }
  }

  it("makes a GRU equal to the fused one", () => {
    const byScan = (inputs: Tensors) => gruByScan(inputs, options(inputs));
    const fused = (inputs: Tensors) => {
      const { output, h } = gru(inputs as never, { reverse });
      return [output, h];
    };
    expectEqual(3, ["h0"], [byScan, fused]);
  });

  it("makes an LSTM equal to the fused one", () => {
    const byScan = (inputs: Tensors) => lstmByScan(inputs, options(inputs));
    const fused = (inputs: Tensors) => {
      const { output, h, c } = lstm(inputs as never, { reverse });
      return [output, h, c];
    };
    expectEqual(4, ["h0", "c0"], [byScan, fused]);
  });
});

it("reads nothing of the padding", () => {
  const weight = tensor(
    Float32Array.from({ length: I }, (_, i) => i + 1),
    [1, I],
    { requiresGrad: true },
  );
  const run = (padding: number) =>
    step(() => {
      const xs = tensor(new Float32Array(T * N * I).fill(0.5), [T, N, I]);
      const values = xs.toArray();
      for (let t = 2; t < T; t++) values.fill(padding, t * N * I, (t * N + 1) * I);
      xs.set(values);
      const lengths = tensor(new Int32Array([2, T, T, T]));
      const cell = (x: Tensor, sum: Tensor) => {
        const next = add(sum, linear(x, weight));
        return { output: mul(next, next), state: next };
      };
      const { output, state } = scan(cell, xs, zeros([N, 1]), { lengths });
      output.storage.scope!.backwardFrom([
        { storage: output.storage, grad: new Float32Array(output.size).fill(1) },
      ]);
      const grad = [...weight.grad!.toArray()];
      return [...output.toArray(), ...state.toArray(), ...grad];
    });
  const expected = run(0);
  weight.storage.grad = undefined;
  expect(run(Number.NaN)).toEqual(expected);
  expect(expected.slice(2 * N, 3 * N)).toEqual([0, 81, 81, 81]);
});

it("takes memory in proportion to the time steps", () => {
  const used = (time: number) => {
    const before = getEngine().memory.size;
    step(() => {
      const xs = tensor(new Float32Array(time * 8 * 64), [time, 8, 64], { requiresGrad: true });
      const { state } = scan((x, h) => ({ output: h, state: add(h, x) }), xs, zeros([8, 64]));
      state.storage.scope!.backwardFrom([{ storage: state.storage, grad: new Float32Array(512).fill(1) }]);
      expect(xs.grad!.toArray().every((g) => g === 1)).toBe(true);
    });
    return getEngine().memory.size - before;
  };
  // 2 MB of xs; a copy of its gradient for each step would be 2 GB.
  expect(used(1000)).toBeLessThan(64 * 2 ** 20);
});

it("says what does not fit", () => {
  const xs = zeros([T, N, I]);
  const state = { h: zeros([N, H]) };
  const leave = (h: Tensor) => () => scan(() => ({ output: xs, state: { h } }), xs, state);
  expect(leave(zeros([N, 2]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: scan: the cell must leave h [4, 5], got [4, 2]]`,
  );
  expect(() =>
    scan(() => ({ output: xs, state: {} as typeof state }), xs, state),
  ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: scan: the cell must leave h [4, 5], got nothing]`);
  expect(() =>
    scan((x, s) => ({ output: x, state: s }), zeros([0, N]), state),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: scan: xs must be [time, ...] with a step at least, got [0, 4]]`,
  );
  const lengths = tensor(new Int32Array([1, 2, 7, 1]));
  expect(() =>
    scan((x, s) => ({ output: x, state: s }), xs, state, { lengths }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[DataError: scan: lengths must be from 0 to 6, got 7 for sequence 2]`,
  );
});

describe.each<OpCase>([
  {
    name: "maskPadding",
    shapes: { x: [T, N, I], lengths: [N] },
    values: { lengths: Int32Array.from([2, 0, 6, 5]) },
    run: ({ x, lengths }) => maskPadding(x!, lengths!),
  },
  {
    name: "holdState",
    shapes: { next: [N, I], before: [N, I], lengths: [N] },
    values: { lengths: Int32Array.from([2, 0, 6, 3]) },
    run: ({ next, before, lengths }) => holdState(next!, before!, lengths!, 2),
  },
])("$name", (test) => {
  it("has the gradient that finite differences give", () => checkGradients(test));
});
