import { pointwiseKernels } from "#kernels";
import { expectDtype, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import { share, use } from "../engine/engine.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { rowPlan } from "./broadcast.ts";
import { type Matrix, matrix, multiply, pack, packTransposed, transposed } from "./gemm.ts";
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
  rowsAt,
  type Walk,
  withoutPadding,
} from "./sequence-passes.ts";

const run = use(pointwiseKernels);

/**
 * What mrnn and mlstm share: m_t = (W_im x_t)∘(W_hm h_{t−1}), which the cell reads in place of h_{t−1}, so that each input
 * has a transition of its own (Sutskever et al. 2011, eq. 7; Krause et al. 2016, eq. 18).
 */
export interface MultiplicativeInputs extends SequenceInputs {
  /** [G·H, F], of m. */
  weightHh: Tensor;
  /** [F, I] */
  weightIm: Tensor;
  /** [F, H] */
  weightHm: Tensor;
}

export type MultiplicativeInput = SequenceInput | "weightIm" | "weightHm";
/** The factors of m, [T, N, F] each: W_im x and W_hm h. */
export type MultiplicativeSaved = "fromInput" | "fromState";

export interface MultiplicativeSizes extends SequenceSizes {
  F: number;
}

export function inferMultiplicative(
  op: string,
  gates: number,
  shapes: Record<MultiplicativeInput, Shape>,
): MultiplicativeSizes {
  const { weightIm, weightHm, weightHh } = shapes;
  if (weightHm.length !== 2) {
    throw new ShapeError(`${op}: weightHm must be [F, H], got ${formatShape(weightHm)}`);
  }
  const [F, H] = weightHm as [number, number];
  expectShape(op, "weightHh", weightHh, [gates * H, F]);
  const sizes = inferSequence(op, gates, { ...shapes, weightHh: [gates * H, H] });
  expectShape(op, "weightIm", weightIm, [F, sizes.I]);
  return { ...sizes, F };
}

export function checkMultiplicative(op: string, inputs: MultiplicativeInputs): void {
  checkSequence(op, inputs);
  for (const name of ["weightIh", "weightHh", "weightIm", "weightHm"] as const) {
    expectDtype(op, name, inputs[name], "float32");
  }
}

/** out = a∘b, of n numbers. */
function product(a: number, b: number, out: number, n: number): void {
  run("binaryForward", { a, b, out, op: 2, ...rowPlan([n], [n], [n]) }, n, share(n, 2 * n, 16));
}

type Addresses = Record<MultiplicativeInput, number>;

/** Forward: gives m_t [N, F] for the state that step t begins with. */
export function multiplier(
  { T, N, I, H, F, lengths }: MultiplicativeSizes & Walk,
  inputs: Addresses,
  saved: Record<MultiplicativeSaved, number>,
): (t: number, h: number) => Matrix {
  const x = withoutPadding({ T, N, I, lengths }, inputs.x);
  const fromInput = matrix(saved.fromInput, T * N, F);
  const fromState = matrix(saved.fromState, T * N, F);
  multiply(matrix(x, T * N, I), packTransposed(matrix(inputs.weightIm, F, I)), fromInput);
  const weightHm = packTransposed(matrix(inputs.weightHm, F, H));
  const m = matrix(workspace(N * F), N, F);
  return (t, h) => {
    const now = rowsAt(fromState, t, N);
    multiply(matrix(h, N, H), weightHm, now);
    product(rowsAt(fromInput, t, N).at, now.at, m.at, N * F);
    return m;
  };
}

/**
 * Backward: `step` takes the gradient `da` of step t before the nonlinearities to the state before, adding it to dh; then
 * `finish` adds the gradients of the weights and of x.
 */
export function multiplierBackward(
  walk: MultiplicativeSizes & Walk,
  inputs: Addresses,
  saved: Record<MultiplicativeSaved, number>,
  da: Matrix,
) {
  const { T, N, H, F } = walk;
  const overTime = (at: number) => matrix(at, T * N, F);
  const [dFromInput, dFromState, m] = [0, 1, 2].map(() => overTime(workspace(T * N * F))) as [
    Matrix,
    Matrix,
    Matrix,
  ];
  const weightHh = pack(matrix(inputs.weightHh, da.columns, F));
  const weightHm = pack(matrix(inputs.weightHm, F, H));
  const dm = matrix(workspace(N * F), N, F);
  return {
    step(t: number, dh: number): void {
      const at = (all: Matrix) => rowsAt(all, t, N).at;
      const [fromInput, fromState] = [at(overTime(saved.fromInput)), at(overTime(saved.fromState))];
      multiply(rowsAt(da, t, N), weightHh, dm);
      product(dm.at, fromState, at(dFromInput), N * F);
      product(dm.at, fromInput, at(dFromState), N * F);
      product(fromInput, fromState, at(m), N * F);
      multiply(rowsAt(dFromState, t, N), weightHm, matrix(dh, N, H), true);
    },
    finish(output: Matrix, grads: Addresses): void {
      addInputGradients(walk, inputs, grads, da);
      const { x } = grads;
      addInputGradients(
        walk,
        { ...inputs, weightIh: inputs.weightIm },
        { x, weightIh: grads.weightIm },
        dFromInput,
      );
      if (grads.weightHh) multiply(transposed(da), pack(m), matrix(grads.weightHh, da.columns, F), true);
      addStateGradients(walk, inputs.h0, output, dFromState, grads.weightHm);
    },
  };
}
