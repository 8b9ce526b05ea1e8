import { describe, expect, it } from "vitest";
import { manualSeed } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../../testing/check-op.ts";
import { MatrixLSTM } from "./matrix-lstm.ts";

const noise = (shape: number[], seed = 1) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed + i * i)),
    shape,
  );

/** A layer whose gates read the input, as after some training. */
function made(options: { bidirectional?: boolean; numHeads?: number; numLayers?: number } = {}) {
  manualSeed(7);
  const layer = new MatrixLSTM({ inputSize: 5, hiddenSize: 8, numHeads: 2, ...options });
  for (const [name, p] of layer.namedParameters())
    if (name.startsWith("weight_if_l")) p.set(noise(p.shape.slice(), 4).toArray());
  return layer;
}

/** One sequence by the recurrence itself (Beck et al. 2024, eq. 19–27), in float64 and without m. */
function byRecurrence(layer: MatrixLSTM, x: ArrayLike<number>, T: number): number[] {
  const [H, heads, I] = [8, 2, 5];
  const d = H / heads;
  const of = (name: string) => Array.from(layer.namedParameters().get(name)!.toArray());
  const [W, b, G, g] = ["weight_ih_l0", "bias_ih_l0", "weight_if_l0", "weight_if_bias_l0"].map(of) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const row = (weights: number[], bias: number[], r: number, t: number) =>
    bias[r]! +
    Array.from({ length: I }, (_, i) => weights[r * I + i]! * x[t * I + i]!).reduce((p, q) => p + q);
  const C = Array.from({ length: heads }, () => new Float64Array(d * d));
  const n = Array.from({ length: heads }, () => new Float64Array(d));
  const out: number[] = [];
  for (let t = 0; t < T; t++) {
    for (let h = 0; h < heads; h++) {
      const at = (part: number, j: number) => row(W, b, part * H + h * d + j, t);
      const input = Math.exp(row(G, g, h, t));
      const forget = 1 / (1 + Math.exp(-row(G, g, heads + h, t)));
      for (let j = 0; j < d; j++) {
        const key = (input * at(1, j)) / Math.sqrt(d);
        n[h]![j] = forget * n[h]![j]! + key;
        for (let l = 0; l < d; l++) C[h]![j * d + l] = forget * C[h]![j * d + l]! + key * at(2, l);
      }
      let norm = 0;
      for (let j = 0; j < d; j++) norm += n[h]![j]! * at(0, j);
      for (let l = 0; l < d; l++) {
        let said = 0;
        for (let j = 0; j < d; j++) said += C[h]![j * d + l]! * at(0, j);
        out.push(said / Math.max(Math.abs(norm), 1) / (1 + Math.exp(-at(3, l))));
      }
    }
  }
  return out;
}

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(...Array.from(expected, Math.abs));
  expect(largest).toBeGreaterThan(0.01);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i]! - expected[i]!), `at ${i}`).toBeLessThan(tolerance * largest);
  }
};

describe("the matrix LSTM", () => {
  it.each([1, 7, 64, 150])("is the recurrence, chunk by chunk: %i steps", (T) => {
    const layer = made();
    const x = noise([T, 1, 5]);
    close(layer.forward(x).output.toArray(), byRecurrence(layer, x.toArray(), T), 1e-5);
  });

  it("comes step by step, in pieces and streamed to the same, its state too", () => {
    const [T, N] = [100, 3];
    const layer = made({ numLayers: 2 });
    const x = noise([T, N, 5]);
    const whole = layer.forward(x);
    let state: typeof whole.state | undefined;
    const outputs: number[] = [];
    for (let t = 0; t < T; t++) {
      const next = layer.step(tensor(x.toArray().slice(t * N * 5, (t + 1) * N * 5), [N, 5]), state);
      outputs.push(...next.output.toArray());
      state = next.state;
    }
    close(outputs, whole.output.toArray(), 1e-5);
    // C and n are divided by e^m, so they are what m says; h is said outright.
    close(state!.h.toArray(), whole.state.h.toArray(), 1e-5);
    close(state!.c.toArray(), whole.state.c.toArray(), 1e-4);
    const stream = layer.stream({ batchSize: N });
    close(stream.steps(x.toArray() as Float32Array), whole.output.toArray(), 1e-5);
  });

  it("leaves padding out, in both directions", () => {
    const layer = made({ bidirectional: true });
    const [T, N] = [9, 2];
    const values = noise([T, N, 5]).toArray();
    for (let t = 4; t < T; t++) values.fill(Number.NaN, (t * N + 1) * 5, (t * N + 2) * 5);
    const batch = layer.forward(tensor(values, [T, N, 5]), { lengths: tensor(Int32Array.of(9, 4)) });
    const one = Float32Array.from(
      { length: 20 },
      (_, i) => values[(Math.floor(i / 5) * N + 1) * 5 + (i % 5)]!,
    );
    const alone = layer.forward(tensor(one, [4, 1, 5]));
    const inBatch = batch.output.toArray();
    const ofSecond = Array.from({ length: T }, (_, t) => [
      ...inBatch.slice((t * N + 1) * 16, (t * N + 2) * 16),
    ]);
    close(ofSecond.slice(0, 4).flat(), alone.output.toArray(), 1e-5);
    expect(ofSecond.slice(4).flat()).toEqual(new Array(5 * 16).fill(0));
    const last = (state: typeof batch.state, N: number, n: number) =>
      [0, 1].flatMap((row) => [...state.h.toArray().slice((row * N + n) * 8, (row * N + n + 1) * 8)]);
    close(last(batch.state, 2, 1), last(alone.state, 1, 0), 1e-5);
  });

  it("has the reference's values and gradients", () => {
    const model = new MatrixLSTM({ inputSize: 3, hiddenSize: 4, numHeads: 2 });
    const [T, N] = [3, 2];
    const shapes: OpCase["shapes"] = { input: [T, N, 3] };
    for (const [name, p] of model.namedParameters()) shapes[name] = p.shape;
    const test: OpCase = {
      name: "matrix LSTM",
      shapes,
      run({ input, ...weights }) {
        const { output, state } = Object.assign(model, weights).forward(input!);
        return [output, state.h, state.c, state.n];
      },
    };
    checkParity(test);
    checkGradients(test);
  });

  it("says what does not fit", () => {
    expect(() => new MatrixLSTM({ inputSize: 3, hiddenSize: 8, numHeads: 3 })).toThrow(
      "MatrixLSTM: hiddenSize must be a multiple of numHeads, 3, got 8",
    );
  });
});
