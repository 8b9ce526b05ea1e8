import { shapeKernels } from "#kernels";
import { apply } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { ShapeError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { formatShape, resolveAxis, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(shapeKernels);

/** Cutting along an axis and joining: x is seen as [outer, axis, inner], and rows of neighbours are copied. */

/** Copies `rows` rows of `width` elements, or adds them where `accumulate`. */
function copyRows(
  src: number,
  srcStride: number,
  dst: number,
  dstStride: number,
  rows: number,
  width: number,
  accumulate = false,
): void {
  const n = rows * width;
  const args = { src, dst, width, srcStride, dstStride, accumulate: Number(accumulate) };
  run("copyRows", args, n, share(n, n, 16));
}

interface Slice {
  axis: number;
  start: number;
  end: number;
  dtype: DType;
}

function sliceParts(shape: Shape, { axis, start, end }: Slice) {
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  return { outer, stride: shape[axis]! * inner, width: (end - start) * inner, offset: 4 * start * inner };
}

export const sliceOp: Op<"x", "y", never, Slice> = {
  name: "slice",
  infer: ({ x }, { axis, start, end, dtype }) => ({
    outputs: { y: { shape: x.with(axis, end - start), dtype } },
    saved: {},
  }),
  forward({ shapes, inputs: { x }, outputs: { y } }, attributes) {
    const { outer, stride, width, offset } = sliceParts(shapes.x, attributes);
    copyRows(x + offset, stride, y, width, outer, width);
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, attributes) {
    const { outer, stride, width, offset } = sliceParts(shapes.x, attributes);
    copyRows(dy, width, dx + offset, stride, outer, width, true);
  },
};

interface Concat {
  axis: number;
  dtype: DType;
}

const concatShape = (shapes: Record<string, Shape>, axis: number): Shape => {
  const all = Object.values(shapes);
  return all[0]!.with(
    axis,
    all.reduce((sum, shape) => sum + shape[axis]!, 0),
  );
};

/** The inputs are named 0, 1, 2 … */
export const concatOp: Op<string, "y", never, Concat> = {
  name: "concat",
  infer(shapes, { axis, dtype }) {
    const [first, ...others] = Object.values(shapes);
    for (const shape of others) {
      if (shape.length !== first!.length || shape.some((n, i) => i !== axis && n !== first![i])) {
        const expected = first!.map((n, i) => (i === axis ? "any" : n)).join(", ");
        throw new ShapeError(`concat: tensors must be [${expected}], got ${formatShape(shape)}`);
      }
    }
    return { outputs: { y: { shape: concatShape(shapes, axis), dtype } }, saved: {} };
  },
  forward({ shapes, inputs, outputs: { y } }, { axis }) {
    const shape = concatShape(shapes, axis);
    const outer = sizeOf(shape.slice(0, axis));
    const stride = sizeOf(shape.slice(axis));
    let at = y;
    for (const [name, x] of Object.entries(inputs)) {
      const width = sizeOf(shapes[name]!.slice(axis));
      copyRows(x, width, at, stride, outer, width);
      at += 4 * width;
    }
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs }, { axis }) {
    const shape = concatShape(shapes, axis);
    const outer = sizeOf(shape.slice(0, axis));
    const stride = sizeOf(shape.slice(axis));
    let at = dy;
    for (const [name, dx] of Object.entries(gradInputs)) {
      const width = sizeOf(shapes[name]!.slice(axis));
      if (dx) copyRows(at, stride, dx, width, outer, width, true);
      at += 4 * width;
    }
  },
};

/** Elements `start` to before `end` of an axis; negative places count from the end, as in Array.slice. */
export function slice(x: Tensor, axis: number, start: number, end?: number): Tensor {
  const resolved = resolveAxis("slice", axis, x.shape.length);
  const size = x.shape[resolved]!;
  const place = (i: number) => (i < 0 ? i + size : i);
  const from = place(start);
  const to = place(end ?? size);
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > to || to > size) {
    throw new ShapeError(
      `slice: expected a range within axis ${resolved} of size ${size}, got ${start} to ${end}`,
    );
  }
  return apply(sliceOp, { x }, { axis: resolved, start: from, end: to, dtype: x.dtype }).y;
}

function sameDtype(op: string, tensors: readonly Tensor[]): DType {
  const dtype = tensors[0]?.dtype;
  if (!dtype) throw new ShapeError(`${op}: expected at least one tensor, got none`);
  const other = tensors.find((t) => t.dtype !== dtype);
  if (other) throw new ShapeError(`${op}: tensors must all be ${dtype}, got ${other.dtype}`);
  return dtype;
}

/** The tensors one after the other along an axis; all other axes must agree. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const dtype = sameDtype("concat", tensors);
  const resolved = resolveAxis("concat", axis, tensors[0]!.shape.length);
  return apply(concatOp, Object.fromEntries(tensors.entries()), { axis: resolved, dtype }).y!;
}

/** The tensors, all of one shape, side by side along a new axis. */
export function stack(tensors: readonly Tensor[], axis: number): Tensor {
  sameDtype("stack", tensors);
  const shape = tensors[0]!.shape;
  const resolved = resolveAxis("stack", axis, shape.length + 1);
  const apart = tensors.map((t) => {
    if (formatShape(t.shape) !== formatShape(shape)) {
      throw new ShapeError(`stack: tensors must be ${formatShape(shape)}, got ${formatShape(t.shape)}`);
    }
    return t.reshape(...shape.slice(0, resolved), 1, ...shape.slice(resolved));
  });
  return concat(apart, resolved);
}
