import { lstmKernels, memoryKernels } from "#kernels";
import { apply, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { use } from "../engine/engine.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { addColumnSums, matrix, multiply, packTransposed, productScratch } from "./gemm.ts";
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

const run = use(lstmKernels, memoryKernels);

export interface MlstmInputs extends MultiplicativeInputs {
  /** [N, H], zeros if left out. */
  c0?: Tensor | undefined;
}

type MlstmInput = MultiplicativeInput | "c0";

function infer(shapes: Record<MlstmInput, Shape>) {
  const sizes = inferMultiplicative("mlstm", 4, shapes);
  expectShape("mlstm", "c0", shapes.c0, [sizes.N, sizes.H]);
  return sizes;
}

/** `before` is c as each step found it, `cells` as it left it. */
type Saved = MultiplicativeSaved | "gates" | "cells" | "before";

export const mlstmOp: Op<MlstmInput, "output" | "h" | "c", Saved, { reverse: boolean }> = {
  name: "mlstm",
  cost(shapes) {
    const { T, N, I, H, F } = infer(shapes);
    return { flops: 2 * T * N * (I + H) * F + 8 * T * N * H * (I + F) };
  },
  infer(shapes) {
    const { T, N, H, F } = infer(shapes);
    return {
      outputs: { output: [T, N, H], h: [N, H], c: [N, H] },
      saved: {
        gates: [T, N, 4 * H],
        cells: [T, N, H],
        before: [T, N, H],
        fromInput: [T, N, F],
        fromState: [T, N, F],
      },
    };
  },

  forward({ shapes, inputs, outputs, saved }, { reverse }) {
    const sizes = infer(shapes);
    const { T, N, I, H, F } = sizes;
    const walk = { ...sizes, lengths: inputs.lengths, reverse };
    const gates = matrix(saved.gates, T * N, 4 * H);
    const weightIh = packTransposed(matrix(inputs.weightIh, 4 * H, I), inputs.biasIh, inputs.biasHh);
    multiply(matrix(inputs.x, T * N, I), weightIh, gates);
    const weightHh = packTransposed(matrix(inputs.weightHh, 4 * H, F));
    const m = multiplier(walk, inputs, saved);
    const h = copyState(inputs.h0, N * H, outputs.h);
    const c = copyState(inputs.c0, N * H, outputs.c);
    const one = oneStep(N, H);
    eachStep(walk, (t, lengths) => {
      const at = (address: number) => rowsAt(matrix(address, T * N, H), t, N).at;
      const now = rowsAt(gates, t, N);
      multiply(m(t, h), weightHh, now, true);
      copyState(c, N * H, at(saved.before));
      const rows = { gates: now.at, output: at(outputs.output), cells: at(saved.cells), hidden: 0 };
      run("lstmForward", { ...rows, h, c, lengths, ...one }, N);
    });
  },

  backward({ shapes, inputs, outputs, saved, gradOutputs, gradInputs }, { reverse }) {
    const sizes = infer(shapes);
    const { T, N, H } = sizes;
    const walk = { ...sizes, lengths: inputs.lengths, reverse };
    const dGates = matrix(workspace(T * N * 4 * H), T * N, 4 * H);
    const dh = copyState(gradOutputs.h, N * H);
    const dc = copyState(gradOutputs.c, N * H);
    const zeros = copyState(0, N * H);
    const common = { ...oneStep(N, H), dOutputRow: 4 * H, zeros, dh, dc, dProjected: 0, dHidden: 0 };
    const { step, finish } = multiplierBackward(walk, inputs, saved, dGates);
    eachStep({ ...walk, reverse: !reverse }, (t, lengths) => {
      const at = (address: number) => rowsAt(matrix(address, T * N, H), t, N).at;
      const rows = {
        gates: rowsAt(matrix(saved.gates, T * N, 4 * H), t, N).at,
        cells: at(saved.cells),
        c0: at(saved.before),
        dOutput: gradOutputs.output ? at(gradOutputs.output) : zeros,
        dGates: rowsAt(dGates, t, N).at,
      };
      run("lstmBackward", { ...common, ...rows, lengths }, N);
      step(t, dh);
    });
    finish(matrix(outputs.output, T * N, H), gradInputs);
    addColumnSums(dGates, gradInputs.biasIh, gradInputs.biasHh);
    if (gradInputs.h0) run("axpy", { x: dh, out: gradInputs.h0, alpha: 1 }, N * H);
    if (gradInputs.c0) run("axpy", { x: dc, out: gradInputs.c0, alpha: 1 }, N * H);
  },
};

/** For the LSTM's kernel: one step of all sequences, whose products with W_hh are made here. */
function oneStep(N: number, H: number) {
  const absent = { weightHh: 0, weightHr: 0, peephole: 0, reverse: 0 };
  return { ...absent, T: 1, N, H, R: H, scratch: productScratch(N, N), chunk: N };
}

/**
 * The multiplicative LSTM over a whole sequence (Krause, Lu, Murray & Renals, Multiplicative LSTM for sequence modelling,
 * 2016, arXiv:1609.07959, eqs. 18–22, with its gates' order i, f, g, o as `lstm` has it):
 * m_t = (W_im x_t)∘(W_hm h_{t−1}), and then as `lstm`, with m_t in the place of h_{t−1}.
 * input [T, N, I] → output [T, N, H] (zero past a sequence's length), and h and c [N, H] after its last step.
 */
export function mlstm(
  inputs: MlstmInputs,
  { reverse = false }: { reverse?: boolean } = {},
): { output: Tensor; h: Tensor; c: Tensor } {
  checkMultiplicative("mlstm", inputs);
  const { input, weightIh, weightHh, weightIm, weightHm, biasIh, biasHh, h0, c0, lengths } = inputs;
  return apply(
    mlstmOp,
    { x: input, weightIh, weightHh, weightIm, weightHm, biasIh, biasHh, h0, c0, lengths },
    { reverse },
  );
}
