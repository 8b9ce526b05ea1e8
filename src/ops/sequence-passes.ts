import { memoryKernels, sequenceKernels } from "#kernels";
import { workspace } from "../autograd/backend.ts";
import { getEngine, share, threads, use, worthSharing } from "../engine/engine.ts";
import { type Matrix, matrix, multiply, pack, productScratch, transposed } from "./gemm.ts";
import { moveRowsWithin } from "./padding.ts";
import type { SequenceInput, SequenceSizes } from "./sequence.ts";

const run = use(memoryKernels, sequenceKernels);

/**
 * The passes of the fused sequence ops around the cell's own kernel. Forward: W_ih·x for all steps at once, then the
 * kernel walks through time. Backward: the kernel walks back and leaves, for every step, the gradient `da` before the
 * nonlinearities (zero for padding); the rest is large products over all steps at once.
 */
export interface Walk extends SequenceSizes {
  /** Address of the lengths, 0 if every step counts. */
  lengths: number;
  reverse: boolean;
}

type Addresses = Record<SequenceInput, number>;

/** Deals the sequences to the threads, once for all time steps: a chunk and the scratch memory for each. */
export function dealSequences(N: number, work: number): { chunk: number; scratch: number } {
  const chunk = share(N, work);
  return { chunk, scratch: productScratch(N, chunk) };
}

/** From so many rows a thread on, a product runs at full speed. */
const MANY_ROWS = 12;

/**
 * Whether the threads had better share the columns of each step's product, of `work` float operations, than the
 * sequences: where they are fewer than the rows of a tile, and a step by itself in any case.
 */
export function sharesSteps({ T, N }: SequenceSizes, work: number): boolean {
  return T === 1 ? N < MANY_ROWS * threads() : N < 2 * threads() && worthSharing(work);
}

/** The steps in the order in which they are read, each with an array of what is left of the sequences then. */
export function eachStep({ T, N, lengths, reverse }: Walk, f: (t: number, lengths: number) => void): void {
  const { memory } = getEngine();
  for (let s = 0; s < T; s++) {
    const t = reverse ? T - 1 - s : s;
    const left = lengths && workspace(N);
    if (left) memory.i32(left, N).set(memory.i32(lengths, N).map((length) => length - t));
    f(t, left);
  }
}

/** Fills `out` with the state at `from`, or with zeros if that is absent. */
export function copyState(from: number, floats: number, out = workspace(floats)): number {
  run("fill", { out, value: 0 }, floats);
  if (from) run("axpy", { x: from, out, alpha: 1 }, floats);
  return out;
}

/** dx += da·W_ih, dW_ih += daᵀ·x. */
export function addInputGradients(
  walk: Walk,
  inputs: Pick<Addresses, "x" | "weightIh">,
  grads: Pick<Addresses, "x" | "weightIh">,
  da: Matrix,
): void {
  const { T, N, I } = walk;
  const weight = matrix(inputs.weightIh, da.columns, I);
  if (grads.x) multiply(da, pack(weight), matrix(grads.x, T * N, I), true);
  if (grads.weightIh) {
    const x = withoutPadding(walk, inputs.x);
    multiply(transposed(da), pack(matrix(x, T * N, I)), { ...weight, at: grads.weightIh }, true);
  }
}

/** x with zeros for padding, which may hold anything, and zero times NaN is NaN. */
export function withoutPadding(
  { T, N, I, lengths }: Pick<Walk, "T" | "N" | "I" | "lengths">,
  x: number,
): number {
  if (!lengths) return x;
  const out = copyState(0, T * N * I);
  moveRowsWithin({ x, out, lengths, N, width: I }, T * N);
  return out;
}

/** dW += daᵀ·h over the states h that the steps began with: `h0`, then `output` one step later. */
export function addStateGradients(walk: Walk, h0: number, output: Matrix, da: Matrix, dW: number): void {
  if (!dW) return;
  const { T, N, lengths, reverse } = walk;
  const grad = matrix(dW, da.columns, output.columns);
  if (T > 1) {
    const rows = (T - 1) * N;
    const [before, now] = reverse ? [rowsAt(output, 1, N), da] : [output, rowsAt(da, 1, N)];
    multiply(transposed({ ...now, rows }), pack({ ...before, rows }), grad, true);
  }
  if (h0) {
    const first = lengths && reverse ? gatherFirst(walk, da) : rowsAt(da, reverse ? T - 1 : 0, N);
    multiply(transposed(first), pack(matrix(h0, N, output.columns)), grad, true);
  }
}

/** The rows of all sequences at one time. */
export function rowsAt(m: Matrix, t: number, N: number): Matrix {
  return { ...m, at: m.at + 4 * t * N * m.rowStride, rows: N };
}

/** The rows of da where each sequence began to be read backwards. */
function gatherFirst({ T, N, lengths }: Walk, da: Matrix): Matrix {
  const out = workspace(N * da.columns);
  run("lastRows", { x: da.at, xRow: 4 * da.rowStride, out, lengths, T, N, width: da.columns }, N);
  return matrix(out, N, da.columns);
}
