import { describe, expect, it } from "vitest";
import { step } from "../../autograd/step.ts";
import { sum } from "../../ops/reduce.ts";
import { manualSeed, randomState } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { expectClose } from "../../testing/check-op.ts";
import { withReference } from "../../testing/reference-backend.ts";
import { gradientNorms } from "./gradient-norms.ts";
import { GRU } from "./gru.ts";
import { LSTM, type LSTMState } from "./lstm.ts";
import { RNN } from "./rnn.ts";

const [T, I, H] = [4, 2, 3];
const noise = (shape: number[], seed = 1) =>
  tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed + i * i)),
    shape,
  );

const layers = {
  RNN: () => new RNN({ inputSize: I, hiddenSize: H }),
  "two layers of sigmoid RNN": () =>
    new RNN({ inputSize: I, hiddenSize: H, numLayers: 2, nonlinearity: "sigmoid" }),
  GRU: () => new GRU({ inputSize: I, hiddenSize: H, numLayers: 2 }),
  LSTM: () => new LSTM({ inputSize: I, hiddenSize: H, peepholes: true }),
  "projected LSTM": () => new LSTM({ inputSize: I, hiddenSize: H, numLayers: 2, projSize: 2, dropout: 0.5 }),
};

/** ‖∂s_T/∂s_{T−lag}‖_F / √width by central differences. */
function byDifferences(
  layer: LSTM,
  input: Tensor,
  index: number,
  part: keyof LSTMState,
  lag: number,
): number {
  const size = input.size / T;
  const run = (from: number, to: number, state?: LSTMState) =>
    layer.forward(tensor(input.toArray().slice(size * from, size * to), [to - from, 1, I]), {
      ...(state && { state }),
    }).state;
  if (lag === 0) return 1;
  const state = lag === T ? layer.zeroState(1) : run(0, T - lag);
  const width = state[part].shape[2]!;
  let squares = 0;
  for (let j = 0; j < width; j++) {
    const [up, down] = [1e-6, -1e-6].map((change) => {
      const values = state[part].toArray();
      values[index * width + j]! += change;
      return run(T - lag, T, { ...state, [part]: tensor(values, state[part].shape) })[part].toArray();
    });
    for (let i = index * width; i < (index + 1) * width; i++) squares += ((up![i]! - down![i]!) / 2e-6) ** 2;
  }
  return Math.sqrt(squares / width);
}

describe("gradientNorms", () => {
  it.each(Object.entries(layers))("are those of finite differences: %s", (_, make) => {
    withReference(() => {
      manualSeed(3);
      const layer = make().eval() as LSTM;
      const input = noise([T, 1, I]);
      const measured = gradientNorms(layer, input);
      expect(measured.map(({ layer: index, part }) => `${part}${index}`).sort()).toEqual(
        Object.keys(layer.zeroState(1))
          .flatMap((part) => Array.from({ length: layer.options.numLayers }, (_, i) => `${part}${i}`))
          .sort(),
      );
      for (const { layer: index, part, norms } of measured) {
        const expected = Array.from(norms, (_, lag) =>
          byDifferences(layer, input, index, part as keyof LSTMState, lag),
        );
        expectClose(`${part} of layer ${index}`, norms, expected, 1e-7);
      }
    });
  });

  it("are those of the reference, and of several sequences the geometric mean", () => {
    const layer = new LSTM({ inputSize: I, hiddenSize: 20 });
    const input = noise([T, 2, I]);
    const measured = gradientNorms(layer, input);
    const each = [0, 1].map((n) =>
      gradientNorms(
        layer,
        tensor(
          input.toArray().filter((_, i) => Math.floor(i / I) % 2 === n),
          [T, 1, I],
        ),
      ),
    );
    for (const [i, { norms }] of measured.entries()) {
      const means = norms.map((_, lag) => Math.sqrt(each[0]![i]!.norms[lag]! * each[1]![i]!.norms[lag]!));
      expectClose(`part ${i}`, norms, means, 1e-6);
    }
  });

  it("stay 1 where the state is handed on, and fall by a factor a step far below what float32 holds", () => {
    const norms = (weight: number) => {
      const layer = new RNN({ inputSize: 1, hiddenSize: 4, nonlinearity: "relu" });
      layer.weight_hh_l0!.set(Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? weight : 0)));
      layer.weight_ih_l0!.set(new Float32Array(4).fill(1));
      const input = tensor(new Float32Array(150).fill(1), [150, 1, 1]);
      return gradientNorms(layer, input)[0]!.norms;
    };
    expect([...norms(1)]).toEqual(new Array(151).fill(1));
    expectClose(
      "by 1/64",
      norms(1 / 64),
      Float64Array.from({ length: 151 }, (_, lag) => 64 ** -lag),
      1e-12,
    );
    expect(norms(1 / 64)[150]! * 64 ** 150).toBeCloseTo(1, 10);
  });

  it("by random vectors are near the exact ones, the same for the same seed", () => {
    const layer = new GRU({ inputSize: I, hiddenSize: 64 });
    const input = noise([20, 3, I]);
    const [exact] = gradientNorms(layer, input);
    const [random] = gradientNorms(layer, input, { projections: 63, seed: 5 });
    for (const [lag, norm] of exact!.norms.entries()) expect(random!.norms[lag]! / norm).toBeCloseTo(1, 0.5);
    expect(gradientNorms(layer, input, { projections: 63, seed: 5 })[0]).toEqual(random);
  });

  it("leave gradients, dropout and random numbers as they were", () => {
    const layer = new RNN({ inputSize: I, hiddenSize: H, numLayers: 2, dropout: 0.5 });
    layer.bias_hh_l1!.requiresGrad = false;
    step(() => sum(layer.forward(noise([T, 1, I])).output).backward());
    const before = layer.parameters().map((p) => [p.requiresGrad, p.grad && [...p.grad.toArray()]]);
    const { step: random } = randomState;
    gradientNorms(layer, noise([T, 1, I]));
    expect(layer.parameters().map((p) => [p.requiresGrad, p.grad && [...p.grad.toArray()]])).toEqual(before);
    expect(layer.training).toBe(true);
    expect(randomState.step).toBe(random);
  });

  it("refuse what does not fit", () => {
    const layer = new RNN({ inputSize: I, hiddenSize: H });
    expect(() => gradientNorms(layer, noise([T, I]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: gradientNorms: input must be [time, batch, 2], got [4, 2]]`,
    );
    expect(() =>
      gradientNorms(layer, noise([T, 1, I]), { projections: 0 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: gradientNorms: projections must be a whole number from 1 to 65536, got 0]`,
    );
    expect(() =>
      gradientNorms(layer, noise([T, 2, I]), { state: layer.zeroState(1) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: gradientNorms: state.h must be [1, 2, 3], got [1, 1, 3]]`,
    );
    const both = new RNN({ inputSize: I, hiddenSize: H, bidirectional: true });
    expect(() => gradientNorms(both, noise([T, 1, I]))).toThrowErrorMatchingInlineSnapshot(`
      [UsageError: RNN: a bidirectional layer has no step
      hint: its output depends on the whole input: use forward]
    `);
  });
});
