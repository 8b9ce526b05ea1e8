import { shapeKernels } from "#kernels";
import { apply } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { ShapeError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { collapse, words } from "./broadcast.ts";

const run = use(shapeKernels);

interface Permutation {
  permutation: readonly number[];
  dtype: DType;
}

const permuted = (shape: Shape, permutation: readonly number[]) => permutation.map((axis) => shape[axis]!);

const inverse = (permutation: readonly number[]) => permutation.map((_, i) => permutation.indexOf(i));

/** dst (+)= src with its axes in another order. */
function permute(
  src: number,
  shape: Shape,
  permutation: readonly number[],
  dst: number,
  accumulate = false,
): void {
  const strides = stridesOf(shape);
  const plan = collapse(permuted(shape, permutation), [permutation.map((axis) => strides[axis]!)]);
  const sizes = plan.shape;
  const from = plan.strides[0]!;
  const to = stridesOf(sizes);
  const last = sizes.length - 1;
  const n = sizeOf(sizes);
  const tableWithout = (...axes: number[]) =>
    words(sizes.flatMap((size, i) => (axes.includes(i) ? [] : [size, from[i]!, to[i]!])));
  const rank = Math.max(last, 0);
  const common = { src, dst, accumulate: Number(accumulate) };
  if (last < 0 || from[last] === 1) {
    const width = sizes[last] ?? 1;
    const args = { ...common, table: tableWithout(last), rank, width };
    run("permuteRows", args, n / Math.max(width, 1), share(n / Math.max(width, 1), n));
  } else {
    const contiguous = from.indexOf(1);
    const rows = sizes[contiguous]!;
    const columns = sizes[last]!;
    const units = (n / (rows * columns)) * Math.ceil(rows / 16);
    const args = {
      ...common,
      table: tableWithout(contiguous, last),
      rank: rank - 1,
      rows,
      columns,
      srcStride: from[last]!,
      dstStride: to[contiguous]!,
    };
    run("permuteTiles", args, units, share(units, 2 * n));
  }
}

export const transposeOp: Op<"x", "y", never, Permutation> = {
  name: "transpose",
  infer: ({ x }, { permutation, dtype }) => ({
    outputs: { y: { shape: permuted(x, permutation), dtype } },
    saved: {},
  }),
  forward({ shapes, inputs: { x }, outputs: { y } }, { permutation }) {
    if (sizeOf(shapes.x)) permute(x, shapes.x, permutation, y);
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { permutation }) {
    if (sizeOf(shapes.x)) permute(dy, permuted(shapes.x, permutation), inverse(permutation), dx, true);
  },
};

/** x with its axes in another order: axis i of the result is axis permutation[i] of x. Reversed if left out. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  const rank = x.shape.length;
  const order = permutation ?? x.shape.map((_, i) => rank - 1 - i);
  if (order.length !== rank || x.shape.some((_, axis) => !order.includes(axis))) {
    throw new ShapeError(
      `transpose: permutation must hold each axis from 0 to ${rank - 1} once, got [${order.join(", ")}]`,
    );
  }
  return apply(transposeOp, { x }, { permutation: order, dtype: x.dtype }).y;
}
