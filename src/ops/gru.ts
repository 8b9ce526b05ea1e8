import { gruKernels, memoryKernels } from "#kernels";
import { apply } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { use } from "../engine/engine.ts";
import { UsageError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { addColumnSums, type Matrix, matrix, multiply, pack, packWeight, transposed } from "./gemm.ts";
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

const run = use(gruKernels, memoryKernels);

interface GruAttributes {
  reverse: boolean;
  resetAfter: boolean;
}

/** W_hr and W_hz, and W_hn: they are used at different moments of a step. */
function splitWeight(at: number, H: number): { rz: Matrix; n: Matrix } {
  return { rz: matrix(at, 2 * H, H), n: matrix(at + 4 * 2 * H * H, H, H) };
}

export const gruOp: Op<SequenceInput, "output" | "h", "gates", GruAttributes> = {
  name: "gru",
  cost(shapes) {
    const { T, N, I, H } = inferSequence("gru", 3, shapes);
    return { flops: 6 * T * N * H * (I + H) };
  },
  infer(shapes) {
    const { T, N, H } = inferSequence("gru", 3, shapes);
    // A row of gates is [r, z, n, m], see assembly/gru.ts.
    return { outputs: { output: [T, N, H], h: [N, H] }, saved: { gates: [T, N, 4 * H] } };
  },

  forward({ shapes, int8, inputs, outputs, saved }, { reverse, resetAfter }) {
    const sizes = inferSequence("gru", 3, shapes);
    const { T, N, I, H } = sizes;
    // All biases are added to the inputs' part, but for b_hn if the reset gate scales it.
    const { biasIh, biasHh } = inputs;
    const added = resetAfter ? 2 * H : 3 * H;
    const ih = { at: inputs.weightIh, int8: int8.weightIh, rows: 3 * H, columns: I };
    const weightIh = packWeight(ih, biasIh, biasHh, added);
    const gates = (first: number, count: number) =>
      matrix(saved.gates + 4 * first * H, T * N, count * H, 4 * H);
    multiply(matrix(inputs.x, T * N, I), weightIh, gates(0, 3));
    const hh = { at: inputs.weightHh, int8: int8.weightHh, columns: H };
    const biasN = resetAfter && biasHh ? biasHh + 4 * 2 * H : 0;
    const weightRZ = packWeight({ ...hh, rows: 2 * H });
    const weightN = packWeight({ ...hh, first: 2 * H, rows: H }, biasN);
    const args = {
      gates: saved.gates,
      output: outputs.output,
      h: copyState(inputs.h0, N * H, outputs.h),
      weightRZ: weightRZ.at,
      weightN: weightN.at,
      lengths: inputs.lengths,
      ...{ T, N, H, reverse: Number(reverse), resetAfter: Number(resetAfter) },
      ...dealSequences(N, 6 * T * N * H * H),
    };
    if (hh.int8 && !resetAfter) {
      throw new UsageError("gru: int8 weights need resetAfter, got a GRU that resets before the product");
    }
    if (!hh.int8 && !(resetAfter && sharesSteps(sizes, 6 * N * H * H))) {
      run("gruForward", args, N, args.chunk);
      return;
    }
    const output = matrix(outputs.output, T * N, H);
    const h = matrix(args.h, N, H);
    eachStep({ ...sizes, lengths: inputs.lengths, reverse }, (t, lengths) => {
      multiply(h, weightRZ, rowsAt(gates(0, 2), t, N), true);
      multiply(h, weightN, rowsAt(gates(3, 1), t, N));
      const rows = { gates: rowsAt(gates(0, 4), t, N).at, output: rowsAt(output, t, N).at };
      run("gruForward", { ...args, ...rows, weightRZ: 0, lengths, T: 1, chunk: N }, N);
    });
  },

  backward({ shapes, inputs, outputs, saved, gradOutputs, gradInputs }, { reverse, resetAfter }) {
    const sizes = inferSequence("gru", 3, shapes);
    const { T, N, H } = sizes;
    const da = workspace(T * N * 4 * H);
    const weightHh = splitWeight(inputs.weightHh, H);
    const args = {
      gates: saved.gates,
      output: outputs.output,
      dOutput: gradOutputs.output,
      h0: inputs.h0 || copyState(0, N * H),
      dh: copyState(gradOutputs.h, N * H),
      da,
      weightRZ: pack(weightHh.rz).at,
      weightN: pack(weightHh.n).at,
      lengths: inputs.lengths,
      ...{ T, N, H, reverse: Number(reverse), resetAfter: Number(resetAfter) },
      ...dealSequences(N, 6 * T * N * H * H),
    };
    run("gruBackward", args, N, args.chunk);

    /** Columns of da, or of the gates, from gate `first` on. */
    const columns = (at: number, first: number, gates: number) =>
      matrix(at + 4 * first * H, T * N, gates * H, 4 * H);
    const walk = { ...sizes, lengths: inputs.lengths, reverse };
    const output = matrix(outputs.output, T * N, H);
    const dWeightHh = splitWeight(gradInputs.weightHh, H);
    addInputGradients(walk, inputs, gradInputs, columns(da, 0, 3));
    if (gradInputs.weightHh) {
      addStateGradients(walk, inputs.h0, output, columns(da, 0, 2), dWeightHh.rz.at);
      if (resetAfter) addStateGradients(walk, inputs.h0, output, columns(da, 3, 1), dWeightHh.n.at);
      else {
        const m = pack(columns(saved.gates, 3, 1));
        multiply(transposed(columns(da, 2, 1)), m, dWeightHh.n, true);
      }
    }
    if (gradInputs.biasIh || gradInputs.biasHh) {
      // Sums of r, z, n and m: the gradient of b_hn is that of what it is added to.
      const sums = copyState(0, 4 * H);
      addColumnSums(columns(da, 0, resetAfter ? 4 : 3), sums);
      const add = (to: number, from: number, gates: number) =>
        run("axpy", { x: sums + 4 * from * H, out: to, alpha: 1 }, gates * H);
      if (gradInputs.biasIh) add(gradInputs.biasIh, 0, 3);
      if (gradInputs.biasHh) {
        add(gradInputs.biasHh, 0, 2);
        add(gradInputs.biasHh + 4 * 2 * H, resetAfter ? 3 : 2, 1);
      }
    }
    if (gradInputs.h0) run("axpy", { x: args.dh, out: gradInputs.h0, alpha: 1 }, N * H);
  },
};

export interface GruOptions {
  /** Read each sequence from its end to its beginning. */
  reverse?: boolean;
  /** Whether the reset gate acts after the product with W_hn (PyTorch, cuDNN) or before it (Cho et al. 2014). */
  resetAfter?: boolean;
}

/**
 * The gated recurrent unit (Cho et al., 2014, arXiv:1406.1078, eq. 5–8) over a whole sequence, gates r, z, n:
 * r_t = σ(W_ir x_t + b_ir + W_hr h_{t−1} + b_hr), z_t likewise, h_t = (1 − z_t)∘n_t + z_t∘h_{t−1}, and with
 * resetAfter n_t = tanh(W_in x_t + b_in + r_t∘(W_hn h_{t−1} + b_hn)), without it
 * n_t = tanh(W_in x_t + b_in + W_hn(r_t∘h_{t−1}) + b_hn).
 * input [T, N, I] → output [T, N, H] (zero past a sequence's length) and h [N, H], the state after its last step.
 */
export function gru(inputs: SequenceInputs, options: GruOptions = {}): { output: Tensor; h: Tensor } {
  checkSequence("gru", inputs);
  const { input, weightIh, weightHh, biasIh, biasHh, h0, lengths } = inputs;
  return apply(
    gruOp,
    { x: input, weightIh, weightHh, biasIh, biasHh, h0, lengths },
    { reverse: options.reverse ?? false, resetAfter: options.resetAfter ?? true },
  );
}
