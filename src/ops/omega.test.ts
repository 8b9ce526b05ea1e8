import { describe, expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { zeros } from "../tensor/tensor.ts";
import { checkParity, expectClose, type Inputs, type OpCase, runCase } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { type Nonlinearity, rnn } from "./rnn.ts";
import type { SequenceInputs } from "./sequence.ts";

interface Form {
  T?: number;
  N?: number;
  H?: number;
  lengths?: number[];
  reverse?: boolean;
}

const defaults = { T: 5, N: 3, H: 4, lengths: undefined, reverse: false };
const nonlinearities = ["tanh", "relu", "sigmoid"] as const;

/** An Elman network whose input is what is added before f, so that its gradient is ∂E/∂x. */
function opCase(form: Form, nonlinearity: Nonlinearity, omega: number): OpCase {
  const { T, N, H, lengths, reverse } = { ...defaults, ...form };
  const shapes: Record<string, Shape> = { input: [T, N, H], weightIh: [H, H], weightHh: [H, H], h0: [N, H] };
  const generator = new Generator(5);
  const values: Inputs = {
    weightIh: Float64Array.from({ length: H * H }, (_, i) => (i % (H + 1) === 0 ? 1 : 0)),
    weightHh: Float64Array.from({ length: H * H }, () => Math.fround(generator.normal() / Math.sqrt(H))),
  };
  if (lengths) {
    shapes.lengths = [N];
    values.lengths = Int32Array.from(lengths);
  }
  return {
    name: `rnn ${nonlinearity}, omega ${omega}`,
    shapes,
    values,
    run(inputs) {
      const { output, h } = rnn(inputs as unknown as SequenceInputs, { nonlinearity, reverse, omega });
      return [output, h];
    },
  };
}

/** f' in terms of f. */
const slopes: Record<Nonlinearity, (h: number) => number> = {
  tanh: (h) => 1 - h * h,
  relu: (h) => Number(h > 0),
  sigmoid: (h) => h * (1 - h),
};

/** Ω as the paper's equation 9 has it, of weights W, states h [T, N, H] and gradients g = ∂E/∂x [T, N, H]. */
function meanOmega(form: Form, nonlinearity: Nonlinearity, W: number[], h: number[], g: number[]): number {
  const { T, N, H, lengths, reverse } = { ...defaults, ...form };
  const terms: number[] = [];
  for (let n = 0; n < N; n++) {
    for (let t = 0; t + 1 < (lengths?.[n] ?? T); t++) {
      const at = (step: number) => H * (step * N + n);
      const [earlier, later] = reverse ? [at(t + 1), at(t)] : [at(t), at(t + 1)];
      let [passed, came] = [0, 0];
      for (let j = 0; j < H; j++) {
        let v = 0;
        for (let i = 0; i < H; i++) v += g[later + i]! * W[i * H + j]!;
        passed += (v * slopes[nonlinearity](h[earlier + j]!)) ** 2;
        came += g[later + j]! ** 2;
      }
      if (came > 0) terms.push((Math.sqrt(passed / came) - 1) ** 2);
    }
  }
  return terms.length === 0 ? 0 : terms.reduce((a, b) => a + b) / terms.length;
}

const small: Record<string, Form> = {
  "all steps": {},
  lengths: { lengths: [2, 0, 5] },
  reverse: { reverse: true },
  "lengths, reverse": { lengths: [4, 1, 3], reverse: true },
  "one step": { T: 1 },
};

const large: Record<string, Form> = {
  odd: { T: 9, N: 13, H: 37, lengths: [9, 1, 3, 0, 7, 5, 2, 6, 4, 9, 1, 2, 3] },
  "two threads": { T: 24, N: 20, H: 48 },
};

describe.each(nonlinearities)("Ω of a %s network", (nonlinearity) => {
  it.each(Object.entries({ ...small, ...large }))("agrees with the float64 reference: %s", (_, form) =>
    checkParity(opCase(form, nonlinearity, 4)),
  );

  it.each(Object.entries(small))("adds what finite differences of it give, to W_hh alone: %s", (_, form) => {
    withReference(() => {
      const { outputs, grads } = runCase(opCase(form, nonlinearity, 0));
      const regularised = runCase(opCase(form, nonlinearity, 4));
      const W = [...opCase(form, nonlinearity, 0).values!.weightHh!];
      const numeric = W.map((w, i) => {
        const at = (x: number) => meanOmega(form, nonlinearity, W.with(i, x), outputs[0]!, grads.input!);
        return (4 * (at(w + 1e-6) - at(w - 1e-6))) / 2e-6;
      });
      const { weightHh, ...others } = regularised.grads;
      const added = weightHh!.map((dW, i) => dW - grads.weightHh![i]!);
      expectClose("∂⁺Ω/∂W_hh", added, numeric, 1e-6);
      for (const [name, gradient] of Object.entries(others)) expect(gradient).toEqual(grads[name]);
    });
  });
});

it("refuses a negative weight", () => {
  const fit = { input: zeros([5, 2, 3]), weightIh: zeros([4, 3]), weightHh: zeros([4, 4]) };
  expect(() => rnn(fit, { omega: -1 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: rnn: omega must be 0 or more, got -1]`,
  );
});
