import { lstmKernels, memoryKernels } from "#kernels";
import { apply, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { addColumnSums, matrix, multiply, pack, packTransposed, packWeight, transposed } from "./gemm.ts";
import {
  checkSequence,
  inferSequence,
  type SequenceInput,
  type SequenceInputs,
  type SequenceSizes,
} from "./sequence.ts";
import {
  addInputGradients,
  addStateGradients,
  copyState,
  dealSequences,
  eachStep,
  rowsAt,
  sharesSteps,
} from "./sequence-passes.ts";

const run = use(lstmKernels, memoryKernels);

export interface LstmInputs extends SequenceInputs {
  /** [N, H], zeros if left out. */
  c0?: Tensor | undefined;
  /** [P, H]: projects h to P units. weightHh is then [4H, P], h0 [N, P]. */
  weightHr?: Tensor | undefined;
  /** [3, H], rows i, f, o: i and f see c of the step before, o sees its own. */
  peephole?: Tensor | undefined;
}

export type LstmInput = SequenceInput | "c0" | "weightHr" | "peephole";

/** The sizes, with R, the width of h: P units if it is projected, else H. */
export function inferLstm(shapes: Record<LstmInput, Shape>): SequenceSizes & { R: number } {
  const { weightHr, c0, peephole } = shapes;
  if (weightHr.length !== 0 && weightHr.length !== 2) {
    throw new ShapeError(`lstm: weightHr must be [P, H], got ${formatShape(weightHr)}`);
  }
  const sizes = inferSequence("lstm", 4, shapes, weightHr[0]);
  const { N, H } = sizes;
  expectShape("lstm", "weightHr", weightHr, ["P", H]);
  expectShape("lstm", "c0", c0, [N, H]);
  expectShape("lstm", "peephole", peephole, [3, H]);
  return { ...sizes, R: weightHr[0] ?? H };
}

type LstmOutput = "output" | "h" | "c";
type LstmSaved = "gates" | "cells" | "hidden";

export const lstmOp: Op<LstmInput, LstmOutput, LstmSaved, { reverse: boolean }> = {
  name: "lstm",
  cost(shapes) {
    const { T, N, I, H, R } = inferLstm(shapes);
    return { flops: 8 * T * N * H * (I + R) + (shapes.weightHr.length && 2 * T * N * H * R) };
  },
  infer(shapes) {
    const { T, N, H, R } = inferLstm(shapes);
    return {
      outputs: { output: [T, N, R], h: [N, R], c: [N, H] },
      saved: {
        gates: [T, N, 4 * H],
        cells: [T, N, H],
        hidden: shapes.weightHr.length ? [T, N, H] : [0],
      },
    };
  },

  forward({ shapes, int8, inputs, outputs, saved }, { reverse }) {
    const sizes = inferLstm(shapes);
    const { T, N, I, H, R } = sizes;
    const ih = { at: inputs.weightIh, int8: int8.weightIh, rows: 4 * H, columns: I };
    const weightIh = packWeight(ih, inputs.biasIh, inputs.biasHh);
    const weightHh = packWeight({ at: inputs.weightHh, int8: int8.weightHh, rows: 4 * H, columns: R });
    const h = copyState(inputs.h0, N * R, outputs.h);
    const gates = matrix(saved.gates, T * N, 4 * H);
    multiply(matrix(inputs.x, T * N, I), weightIh, gates);
    const args = {
      ...saved,
      output: outputs.output,
      h,
      c: copyState(inputs.c0, N * H, outputs.c),
      weightHh: weightHh.at,
      weightHr: inputs.weightHr && packTransposed(matrix(inputs.weightHr, R, H)).at,
      peephole: inputs.peephole,
      lengths: inputs.lengths,
      ...{ T, N, H, R, reverse: Number(reverse) },
      ...dealSequences(N, 8 * T * N * H * R),
    };
    if (!int8.weightHh && !sharesSteps(sizes, 8 * N * H * R)) {
      run("lstmForward", args, N, args.chunk);
      return;
    }
    eachStep({ ...sizes, lengths: inputs.lengths, reverse }, (t, lengths) => {
      const at = (address: number, width: number) => rowsAt(matrix(address, T * N, width), t, N).at;
      multiply(matrix(h, N, R), weightHh, rowsAt(gates, t, N), true);
      const rows = {
        gates: at(saved.gates, 4 * H),
        output: at(outputs.output, R),
        cells: at(saved.cells, H),
        hidden: at(saved.hidden, H),
      };
      run("lstmForward", { ...args, ...rows, weightHh: 0, lengths, T: 1, chunk: N }, N);
    });
  },

  backward({ shapes, inputs, outputs, saved, gradOutputs, gradInputs }, { reverse }) {
    const sizes = inferLstm(shapes);
    const { T, N, H, R } = sizes;
    const projected = inputs.weightHr !== 0;
    const zeros = copyState(0, Math.max(H, R));
    const args = {
      gates: saved.gates,
      cells: saved.cells,
      c0: inputs.c0 || copyState(0, N * H),
      dOutput: gradOutputs.output || zeros,
      dOutputRow: gradOutputs.output && 4 * R,
      zeros,
      dh: copyState(gradOutputs.h, N * R),
      dc: copyState(gradOutputs.c, N * H),
      dGates: workspace(T * N * 4 * H),
      dProjected: projected ? workspace(T * N * R) : 0,
      dHidden: projected ? workspace(N * H) : 0,
      weightHh: pack(matrix(inputs.weightHh, 4 * H, R)).at,
      weightHr: inputs.weightHr && pack(matrix(inputs.weightHr, R, H)).at,
      peephole: inputs.peephole,
      lengths: inputs.lengths,
      ...{ T, N, H, R, reverse: Number(reverse) },
      ...dealSequences(N, 8 * T * N * H * R),
    };
    run("lstmBackward", args, N, args.chunk);

    const walk = { ...sizes, lengths: inputs.lengths, reverse };
    const dGates = matrix(args.dGates, T * N, 4 * H);
    addInputGradients(walk, inputs, gradInputs, dGates);
    addStateGradients(walk, inputs.h0, matrix(outputs.output, T * N, R), dGates, gradInputs.weightHh);
    addColumnSums(dGates, gradInputs.biasIh, gradInputs.biasHh);
    if (gradInputs.weightHr) {
      const dProjected = matrix(args.dProjected, T * N, R);
      const hidden = pack(matrix(saved.hidden, T * N, H));
      multiply(transposed(dProjected), hidden, matrix(gradInputs.weightHr, R, H), true);
    }
    if (gradInputs.peephole) {
      run(
        "lstmPeepholeBackward",
        { ...args, dPeephole: gradInputs.peephole },
        H,
        share(H, 6 * T * N * H, 16),
      );
    }
    if (gradInputs.h0) run("axpy", { x: args.dh, out: gradInputs.h0, alpha: 1 }, N * R);
    if (gradInputs.c0) run("axpy", { x: args.dc, out: gradInputs.c0, alpha: 1 }, N * H);
  },
};

/**
 * Long short-term memory over a whole sequence (Hochreiter & Schmidhuber, 1997; with the forget gate of Gers et al.,
 * 2000), gates i, f, g, o:
 * i = σ(W_ii x_t + b_ii + W_hi h_{t−1} + b_hi), f and o likewise, g = tanh(W_ig x_t + b_ig + W_hg h_{t−1} + b_hg),
 * c_t = f∘c_{t−1} + i∘g, h_t = o∘tanh c_t. With peepholes (Gers & Schmidhuber, 2000) p_i∘c_{t−1}, p_f∘c_{t−1} and
 * p_o∘c_t are added inside i, f and o; with a projection (Sak et al., 2014, arXiv:1402.1128) h_t = W_hr (o∘tanh c_t).
 * input [T, N, I] → output [T, N, H] (or P; zero past a sequence's length), and h and c after its last step.
 */
export function lstm(
  inputs: LstmInputs,
  options: { reverse?: boolean } = {},
): { output: Tensor; h: Tensor; c: Tensor } {
  checkSequence("lstm", inputs);
  const { input, weightIh, weightHh, biasIh, biasHh, h0, c0, weightHr, peephole, lengths } = inputs;
  return apply(
    lstmOp,
    { x: input, weightIh, weightHh, biasIh, biasHh, h0, c0, weightHr, peephole, lengths },
    { reverse: options.reverse ?? false },
  );
}
