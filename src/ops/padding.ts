import { memoryKernels, sequenceKernels } from "#kernels";
import { apply } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import type { DType } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkLengths } from "./sequence.ts";

const run = use(memoryKernels, sequenceKernels);

interface Rows {
  x: number;
  out: number;
  lengths: number;
  N: number;
  width: number;
  /** The time of the first row. */
  first?: number;
  /** Rows outside of their sequence instead. */
  outside?: boolean;
  accumulate?: boolean;
}

/** Copies (or adds) those of x's rows that are inside their sequence; the others in `out` stay as they are. */
export function moveRowsWithin(rows: Rows, count: number): void {
  const { first = 0, outside = false, accumulate = false, ...rest } = rows;
  const args = { ...rest, first, inside: Number(!outside), accumulate: Number(accumulate) };
  run("rowsWithin", args, count, share(count, count * rows.width));
}

function rowParts(shape: Shape) {
  const [T, N, ...rest] = shape as [number, number, ...number[]];
  return { N, width: sizeOf(rest), count: T * N };
}

export const maskPaddingOp: Op<"x" | "lengths", "y", never, { dtype: DType }> = {
  name: "maskPadding",
  infer: ({ x }, { dtype }) => ({ outputs: { y: { shape: x, dtype } }, saved: {} }),
  forward({ shapes, inputs: { x, lengths }, outputs: { y } }) {
    const { N, width, count } = rowParts(shapes.x);
    run("fill", { out: y, value: 0 }, count * width);
    moveRowsWithin({ x, out: y, lengths, N, width }, count);
  },
  backward({ shapes, inputs: { lengths }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
    const { N, width, count } = rowParts(shapes.x);
    moveRowsWithin({ x: dy, out: dx, lengths, N, width, accumulate: true }, count);
  },
};

/** x [T, N, ...] with zeros from each sequence's length (int32 [N]) on, whatever was there; x itself without lengths. */
export function maskPadding(x: Tensor, lengths: Tensor | undefined): Tensor {
  if (!lengths) return x;
  checkLengths("maskPadding", lengths, x.shape);
  return apply(maskPaddingOp, { x, lengths }, { dtype: x.dtype }).y;
}

export const holdStateOp: Op<"next" | "before" | "lengths", "state", never, { time: number }> = {
  name: "holdState",
  infer: ({ next }) => ({ outputs: { state: next }, saved: {} }),
  forward({ shapes, inputs: { next, before, lengths }, outputs: { state } }, { time }) {
    const { N, width, count } = rowParts([1, ...shapes.next]);
    const rows = { out: state, lengths, N, width, first: time };
    moveRowsWithin({ ...rows, x: next }, count);
    moveRowsWithin({ ...rows, x: before, outside: true }, count);
  },
  backward({ shapes, inputs: { lengths }, gradOutputs: { state: x }, gradInputs }, { time }) {
    const { N, width, count } = rowParts([1, ...shapes.next]);
    const rows = { x, lengths, N, width, first: time, accumulate: true };
    if (gradInputs.next) moveRowsWithin({ ...rows, out: gradInputs.next }, count);
    if (gradInputs.before) moveRowsWithin({ ...rows, out: gradInputs.before, outside: true }, count);
  },
};

/** The next state [N, ...] of the sequences that are running at this time, the state before of the others. */
export function holdState(next: Tensor, before: Tensor, lengths: Tensor, time: number): Tensor {
  return apply(holdStateOp, { next, before, lengths }, { time }).state;
}
