import { memoryKernels, rnnKernels } from "#kernels";
import { apply } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { use } from "../engine/engine.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { addColumnSums, matrix, multiply, packTransposed } from "./gemm.ts";
import {
  checkMultiplicative,
  inferMultiplicative,
  type MultiplicativeInput,
  type MultiplicativeInputs,
  type MultiplicativeSaved,
  multiplier,
  multiplierBackward,
} from "./multiplicative.ts";
import { copyState, eachStep, rowsAt } from "./sequence-passes.ts";

const run = use(memoryKernels, rnnKernels);

const TANH = 0;

export const mrnnOp: Op<MultiplicativeInput, "output" | "h", MultiplicativeSaved, { reverse: boolean }> = {
  name: "mrnn",
  cost(shapes) {
    const { T, N, I, H, F } = inferMultiplicative("mrnn", 1, shapes);
    return { flops: 2 * T * N * (I + H) * F + 2 * T * N * H * (I + F) };
  },
  infer(shapes) {
    const { T, N, H, F } = inferMultiplicative("mrnn", 1, shapes);
    return {
      outputs: { output: [T, N, H], h: [N, H] },
      saved: { fromInput: [T, N, F], fromState: [T, N, F] },
    };
  },

  forward({ shapes, inputs, outputs, saved }, { reverse }) {
    const sizes = inferMultiplicative("mrnn", 1, shapes);
    const { T, N, I, H, F } = sizes;
    const walk = { ...sizes, lengths: inputs.lengths, reverse };
    const output = matrix(outputs.output, T * N, H);
    const weightIh = packTransposed(matrix(inputs.weightIh, H, I), inputs.biasIh, inputs.biasHh);
    multiply(matrix(inputs.x, T * N, I), weightIh, output);
    const weightHh = packTransposed(matrix(inputs.weightHh, H, F));
    const m = multiplier(walk, inputs, saved);
    const h = copyState(inputs.h0, N * H, outputs.h);
    eachStep(walk, (t, lengths) => {
      const now = rowsAt(output, t, N);
      multiply(m(t, h), weightHh, now, true);
      const args = { output: now.at, h, weight: 0, lengths, N, H, nonlinearity: TANH };
      run("rnnForward", { ...args, T: 1, reverse: 0, scratch: 0, chunk: N }, N);
    });
  },

  backward({ shapes, inputs, outputs, saved, gradOutputs, gradInputs }, { reverse }) {
    const sizes = inferMultiplicative("mrnn", 1, shapes);
    const { T, N, H } = sizes;
    const walk = { ...sizes, lengths: inputs.lengths, reverse };
    const output = matrix(outputs.output, T * N, H);
    const da = matrix(workspace(T * N * H), T * N, H);
    const dh = copyState(gradOutputs.h, N * H);
    const { step, finish } = multiplierBackward(walk, inputs, saved, da);
    eachStep({ ...walk, reverse: !reverse }, (t, lengths) => {
      const at = (address: number) => address && rowsAt(matrix(address, T * N, H), t, N).at;
      const rows = { output: at(output.at), dOutput: at(gradOutputs.output), da: at(da.at) };
      const args = { ...rows, dh, weight: 0, lengths, N, H, nonlinearity: TANH };
      run("rnnBackward", { ...args, T: 1, reverse: 0, scratch: 0, chunk: N }, N);
      step(t, dh);
    });
    finish(output, gradInputs);
    addColumnSums(da, gradInputs.biasIh, gradInputs.biasHh);
    if (gradInputs.h0) run("axpy", { x: dh, out: gradInputs.h0, alpha: 1 }, N * H);
  },
};

/**
 * The multiplicative recurrent network over a whole sequence, factored (Sutskever, Martens & Hinton, Generating text with
 * recurrent neural networks, 2011, eqs. 7–8): m_t = (W_im x_t)∘(W_hm h_{t−1}), h_t = tanh(W_ih x_t + b_ih + W_hh m_t + b_hh).
 * input [T, N, I] → output [T, N, H] (zero past a sequence's length) and h [N, H], the state after its last step.
 */
export function mrnn(
  inputs: MultiplicativeInputs,
  { reverse = false }: { reverse?: boolean } = {},
): { output: Tensor; h: Tensor } {
  checkMultiplicative("mrnn", inputs);
  const { input, weightIh, weightHh, weightIm, weightHm, biasIh, biasHh, h0, lengths } = inputs;
  return apply(
    mrnnOp,
    { x: input, weightIh, weightHh, weightIm, weightHm, biasIh, biasHh, h0, lengths },
    { reverse },
  );
}
