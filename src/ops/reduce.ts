import { memoryKernels, reduceKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, resolveAxis, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { addBroadcast, sumOver } from "./broadcast.ts";
import { transpose } from "./transpose.ts";

const run = use(memoryKernels, reduceKernels);

export interface ReduceOptions {
  /** Keeps the reduced axes, with size 1. */
  keepDims?: boolean;
}

/** Which axes of x fall. The result has them with size 1, until the public functions take them away. */
export type Reduction = Op<"x", "y", never, { axes: readonly number[] }>;

const kept = (shape: Shape, axes: readonly number[]) => shape.map((n, i) => (axes.includes(i) ? 1 : n));

/** How many elements go into each of the result. */
const countOf = (shape: Shape, axes: readonly number[]) => sizeOf(axes.map((axis) => shape[axis]!));

export const sumOp: Reduction = {
  name: "sum",
  infer: ({ x }, { axes }) => ({ outputs: { y: kept(x, axes) }, saved: {} }),
  forward({ shapes, inputs: { x }, outputs: { y } }, { axes }) {
    const reduced = shapes.x.map((_, i) => axes.includes(i));
    sumOver(x, shapes.x, reduced, y);
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { axes }) {
    addBroadcast(dx, shapes.x, dy, kept(shapes.x, axes));
  },
};

export const meanOp: Reduction = {
  name: "mean",
  infer({ x }, { axes }) {
    if (countOf(x, axes) === 0) throw emptyError("mean", x);
    return { outputs: { y: kept(x, axes) }, saved: {} };
  },
  forward({ shapes, inputs: { x }, outputs: { y } }, { axes }) {
    const reduced = shapes.x.map((_, i) => axes.includes(i));
    sumOver(x, shapes.x, reduced, y, { scale: 1 / countOf(shapes.x, axes) });
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { axes }) {
    const shape = kept(shapes.x, axes);
    const n = sizeOf(shape);
    const part = workspace(n);
    run("scale", { x: dy, out: part, factor: 1 / countOf(shapes.x, axes) }, n, share(n, n, 16));
    addBroadcast(dx, shapes.x, part, shape);
  },
};

/** x as [outer, size, inner] around an axis. */
function around(shape: Shape, axis: number): { outer: number; size: number; width: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis]!, width: sizeOf(shape.slice(axis + 1)) };
}

function runMax(x: number, shape: Shape, axis: number, values: number, indices: number): void {
  const { outer, size, width } = around(shape, axis);
  const units = outer * Math.ceil(width / 4);
  run("maxForward", { x, values, indices, size, width }, units, share(units, 2 * sizeOf(shape)));
}

export const maxOp: Op<"x", "y", "indices", { axis: number }> = {
  name: "max",
  infer({ x }, { axis }) {
    if (x[axis] === 0) throw emptyError("max", x);
    const shape = x.with(axis, 1);
    return { outputs: { y: shape }, saved: { indices: { shape, dtype: "int32" } } };
  },
  forward({ shapes, inputs: { x }, outputs: { y }, saved: { indices } }, { axis }) {
    runMax(x, shapes.x, axis, y, indices);
  },
  backward({ shapes, saved: { indices }, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { axis }) {
    const { outer, size, width } = around(shapes.x, axis);
    run("maxBackward", { dy, indices, dx, size, width }, outer * width);
  },
};

export const argmaxOp: Op<"x", "y", "values", { axis: number }> = {
  name: "argmax",
  infer({ x }, { axis }) {
    if (x[axis] === 0) throw emptyError("argmax", x);
    const shape = x.with(axis, 1);
    return { outputs: { y: { shape, dtype: "int32" } }, saved: { values: shape } };
  },
  forward({ shapes, inputs: { x }, outputs: { y }, saved: { values } }, { axis }) {
    runMax(x, shapes.x, axis, values, y);
  },
};

function emptyError(op: string, shape: Shape): ShapeError {
  return new ShapeError(`${op}: expected at least one element to reduce, got shape ${formatShape(shape)}`);
}

function resolveAxes(op: string, axis: number | readonly number[] | undefined, rank: number): number[] {
  if (axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  const given = typeof axis === "number" ? [axis] : axis;
  const axes = given.map((one) => resolveAxis(op, one, rank)).sort((a, b) => a - b);
  if (new Set(axes).size !== axes.length) {
    throw new ShapeError(`${op}: expected each axis once, got [${given.join(", ")}]`);
  }
  return axes;
}

/** y, of whatever shape, as the result of reducing these axes of `shape`. */
function reshaped(y: Tensor, shape: Shape, axes: readonly number[], { keepDims }: ReduceOptions): Tensor {
  return y.reshape(...(keepDims ? kept(shape, axes) : shape.filter((_, i) => !axes.includes(i))));
}

/** Σ x over an axis, several, or all of them. */
export function sum(x: Tensor, axis?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  expectDtype("sum", "x", x, "float32");
  const axes = resolveAxes("sum", axis, x.shape.length);
  return reshaped(apply(sumOp, { x }, { axes }).y, x.shape, axes, options);
}

/** The mean of x over an axis, several, or all of them. */
export function mean(x: Tensor, axis?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  expectDtype("mean", "x", x, "float32");
  const axes = resolveAxes("mean", axis, x.shape.length);
  return reshaped(apply(meanOp, { x }, { axes }).y, x.shape, axes, options);
}

/** The largest element over an axis, several, or all of them; the gradient goes to the first that is it. */
export function max(x: Tensor, axis?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  expectDtype("max", "x", x, "float32");
  const axes = resolveAxes("max", axis, x.shape.length);
  return reshaped(maxOver(x, axes), x.shape, axes, options);
}

/** Axes that are neighbours are taken as one; others are brought together first. */
function maxOver(x: Tensor, axes: readonly number[]): Tensor {
  const first = axes[0] ?? 0;
  if (axes.some((axis, i) => axis !== first + i)) {
    const others = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
    return maxOver(
      transpose(x, [...others, ...axes]),
      axes.map((_, i) => others.length + i),
    );
  }
  const outer = sizeOf(x.shape.slice(0, first));
  const inner = sizeOf(x.shape.slice(first + axes.length));
  return apply(maxOp, { x: x.reshape(outer, countOf(x.shape, axes), inner) }, { axis: 1 }).y;
}

/** Where along an axis the largest element is, the first of them if there are several: int32. */
export function argmax(x: Tensor, axis: number, options: ReduceOptions = {}): Tensor {
  expectDtype("argmax", "x", x, "float32");
  const resolved = resolveAxis("argmax", axis, x.shape.length);
  return reshaped(apply(argmaxOp, { x }, { axis: resolved }).y, x.shape, [resolved], options);
}
