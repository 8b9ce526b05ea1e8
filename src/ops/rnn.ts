import { memoryKernels, rnnKernels } from "#kernels";
import { apply } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { use } from "../engine/engine.ts";
import { OptionError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { addColumnSums, matrix, multiply, pack, packWeight } from "./gemm.ts";
import { addOmegaGradient } from "./omega.ts";
import { checkSequence, inferSequence, type SequenceInput, type SequenceInputs } from "./sequence.ts";
import {
  addInputGradients,
  addStateGradients,
  copyState,
  dealSequences,
  eachStep,
  rowsAt,
  sharesSteps,
} from "./sequence-passes.ts";

const run = use(memoryKernels, rnnKernels);

export type Nonlinearity = "tanh" | "relu" | "sigmoid";

/** The numbers assembly/rnn.ts knows them by. */
const nonlinearities: Record<Nonlinearity, number> = { tanh: 0, relu: 1, sigmoid: 2 };

interface RnnAttributes {
  reverse: boolean;
  nonlinearity: Nonlinearity;
  omega: number;
}

export const rnnOp: Op<SequenceInput, "output" | "h", never, RnnAttributes> = {
  name: "rnn",
  cost(shapes) {
    const { T, N, I, H } = inferSequence("rnn", 1, shapes);
    return { flops: 2 * T * N * H * (I + H) };
  },
  infer(shapes) {
    const { T, N, H } = inferSequence("rnn", 1, shapes);
    return { outputs: { output: [T, N, H], h: [N, H] }, saved: {} };
  },

  forward({ shapes, int8, inputs, outputs }, { reverse, nonlinearity }) {
    const sizes = inferSequence("rnn", 1, shapes);
    const { T, N, I, H } = sizes;
    const ih = { at: inputs.weightIh, int8: int8.weightIh, rows: H, columns: I };
    const weightIh = packWeight(ih, inputs.biasIh, inputs.biasHh);
    const output = matrix(outputs.output, T * N, H);
    multiply(matrix(inputs.x, T * N, I), weightIh, output);
    const weightHh = packWeight({ at: inputs.weightHh, int8: int8.weightHh, rows: H, columns: H });
    const args = {
      output: outputs.output,
      h: copyState(inputs.h0, N * H, outputs.h),
      weight: weightHh.at,
      lengths: inputs.lengths,
      ...{ T, N, H, reverse: Number(reverse), nonlinearity: nonlinearities[nonlinearity] },
      ...dealSequences(N, 2 * T * N * H * H),
    };
    if (!int8.weightHh && !sharesSteps(sizes, 2 * N * H * H)) {
      run("rnnForward", args, N, args.chunk);
      return;
    }
    eachStep({ ...sizes, lengths: inputs.lengths, reverse }, (t, lengths) => {
      const now = rowsAt(output, t, N);
      multiply(matrix(args.h, N, H), weightHh, now, true);
      run("rnnForward", { ...args, output: now.at, weight: 0, lengths, T: 1, chunk: N }, N);
    });
  },

  backward({ shapes, inputs, outputs, gradOutputs, gradInputs }, { reverse, nonlinearity, omega }) {
    const sizes = inferSequence("rnn", 1, shapes);
    const { T, N, H } = sizes;
    const da = matrix(workspace(T * N * H), T * N, H);
    const args = {
      output: outputs.output,
      dOutput: gradOutputs.output,
      dh: copyState(gradOutputs.h, N * H),
      da: da.at,
      weight: pack(matrix(inputs.weightHh, H, H)).at,
      lengths: inputs.lengths,
      ...{ T, N, H, reverse: Number(reverse), nonlinearity: nonlinearities[nonlinearity] },
      ...dealSequences(N, 2 * T * N * H * H),
    };
    run("rnnBackward", args, N, args.chunk);

    const walk = { ...sizes, lengths: inputs.lengths, reverse };
    addInputGradients(walk, inputs, gradInputs, da);
    const output = matrix(outputs.output, T * N, H);
    addStateGradients(walk, inputs.h0, output, da, gradInputs.weightHh);
    if (omega > 0) {
      const { weightHh } = inputs;
      const dW = gradInputs.weightHh;
      addOmegaGradient(walk, { output, da, weightHh, nonlinearity: args.nonlinearity, factor: omega, dW });
    }
    addColumnSums(da, gradInputs.biasIh, gradInputs.biasHh);
    if (gradInputs.h0) run("axpy", { x: args.dh, out: gradInputs.h0, alpha: 1 }, N * H);
  },
};

export interface RnnOptions {
  /** Read each sequence from its end to its beginning. */
  reverse?: boolean;
  nonlinearity?: Nonlinearity;
  /**
   * What W_hh is made to pass gradients on by: this many times Pascanu's Ω (On the difficulty of training recurrent neural
   * networks, 2013, eq. 9) is added to what is minimised. With x the state before f and E all that is minimised else,
   * Ω is the mean of (‖∂E/∂x_{k+1} · ∂x_{k+1}/∂x_k‖ / ‖∂E/∂x_{k+1}‖ − 1)² over the sequences and their steps k to which
   * a gradient comes. Its gradient (eq. 10) goes to W_hh alone and is the immediate one, x_k and ∂E/∂x_{k+1} being taken
   * as constants. Default 0.
   */
  omega?: number;
}

/**
 * Elman's recurrent network (Finding Structure in Time, 1990) over a whole sequence:
 * h_t = f(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh), f = tanh, ReLU or the logistic sigmoid.
 * input [T, N, I] → output [T, N, H] (zero past a sequence's length) and h [N, H], the state after its last step.
 */
export function rnn(inputs: SequenceInputs, options: RnnOptions = {}): { output: Tensor; h: Tensor } {
  checkSequence("rnn", inputs);
  const { input, weightIh, weightHh, biasIh, biasHh, h0, lengths } = inputs;
  const { reverse = false, nonlinearity = "tanh", omega = 0 } = options;
  if (!(omega >= 0)) throw new OptionError(`rnn: omega must be 0 or more, got ${omega}`);
  return apply(
    rnnOp,
    { x: input, weightIh, weightHh, biasIh, biasHh, h0, lengths },
    { reverse, nonlinearity, omega },
  );
}
