import { pointwiseKernels, reduceKernels } from "#kernels";
import { workspace } from "../autograd/backend.ts";
import { getEngine, share, use } from "../engine/engine.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";

const run = use(pointwiseKernels, reduceKernels);

/** Broadcasting over buffers in the engine's memory, and its adjoint: summing over the axes that were stretched. */

/** The strides with which an operand of shape `shape` is read as one of shape `out`: 0 along a stretched axis. */
export function broadcastStrides(shape: Shape, out: Shape): number[] {
  const strides = stridesOf(shape);
  return out.map((_, i) => {
    const axis = shape.length - out.length + i;
    return axis < 0 || shape[axis] === 1 ? 0 : strides[axis]!;
  });
}

/**
 * The same walk over fewer axes: those of size 1 are dropped, neighbours joined where every operand (by its strides)
 * passes from one to the other without a jump.
 */
export function collapse(
  shape: Shape,
  operands: readonly number[][],
): { shape: number[]; strides: number[][] } {
  const sizes: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    if (size === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && operands.every((s, k) => strides[k]![last] === s[axis]! * size)) sizes[last]! *= size;
    else sizes.push(size);
    operands.forEach((s, k) => {
      strides[k]![sizes.length - 1] = s[axis]!;
    });
  }
  return { shape: sizes, strides };
}

/** Whole numbers where a kernel can read them, until the running op returns. */
export function words(values: readonly number[]): number {
  const address = workspace(values.length);
  getEngine().memory.i32(address, values.length).set(values);
  return address;
}

/** How assembly/layout.ts walks two operands: rows of `inner` elements, and a table of the axes before. */
export function rowPlan(out: Shape, a: Shape, b: Shape) {
  const { shape, strides } = collapse(out, [broadcastStrides(a, out), broadcastStrides(b, out)]);
  const inner = shape.pop() ?? 1;
  const [stepA = 0, stepB = 0] = strides.map((s) => s.pop());
  const table = words(shape.flatMap((size, i) => [size, strides[0]![i]!, strides[1]![i]!]));
  return { table, rank: shape.length, inner, stepA, stepB };
}

/** target += x, for x of a shape that broadcasts to `shape`. */
export function addBroadcast(target: number, shape: Shape, x: number, from: Shape): void {
  const n = sizeOf(shape);
  const plan = rowPlan(shape, shape, from);
  run("binaryForward", { a: target, b: x, out: target, op: 0, ...plan }, n, share(n, n, 16));
}

interface SumOptions {
  scale?: number;
  /** Adds to what the output holds. */
  accumulate?: boolean;
}

/** Rows longer than this are summed in parts. */
const BLOCK = 32768;

/** out = scale·Σ x over the `reduced` axes of x. The order of summation depends on the shape alone. */
export function sumOver(
  x: number,
  shape: Shape,
  reduced: readonly boolean[],
  out: number,
  { scale = 1, accumulate = false }: SumOptions = {},
): void {
  // Neighbours of a kind as one axis; then the reduced ones fall one by one, from the last to the first.
  const groups: { size: number; reduced: boolean }[] = [];
  shape.forEach((size, i) => {
    const last = groups.at(-1);
    if (last?.reduced === reduced[i]) last!.size *= size;
    else groups.push({ size, reduced: reduced[i]! });
  });
  let at = groups.findLastIndex((group) => group.reduced);
  if (at < 0) groups.splice(++at, 0, { size: 1, reduced: true });
  for (let source = x; at >= 0; ) {
    const outer = sizeOf(groups.slice(0, at).map((group) => group.size));
    const inner = sizeOf(groups.slice(at + 1).map((group) => group.size));
    const { size } = groups.splice(at, 1)[0]!;
    at = groups.findLastIndex((group) => group.reduced);
    if (at < 0) sumMiddle(source, outer, size, inner, out, scale, accumulate);
    else {
      const partial = workspace(outer * inner);
      sumMiddle(source, outer, size, inner, partial, 1, false);
      source = partial;
    }
  }
}

/** out[o, j] (+)= scale·Σᵢ x[o, i, j] for x [outer, size, inner]. */
function sumMiddle(
  x: number,
  outer: number,
  size: number,
  inner: number,
  out: number,
  scale: number,
  accumulate: boolean,
): void {
  const work = outer * size * inner;
  if (inner !== 1) {
    const units = outer * Math.ceil(inner / 16);
    const args = { x, out, rows: size, width: inner, scale, accumulate: Number(accumulate) };
    run("sumColumns", args, units, share(units, work));
  } else if (size > 2 * BLOCK) {
    const blocks = Math.ceil(size / BLOCK);
    const partial = workspace(outer * blocks);
    const units = outer * blocks;
    const args = { x, out: partial, length: size, block: BLOCK, scale: 1, accumulate: 0 };
    run("sumRows", args, units, share(units, work));
    sumMiddle(partial, outer, blocks, 1, out, scale, accumulate);
  } else {
    const args = { x, out, length: size, block: Math.max(size, 1), scale, accumulate: Number(accumulate) };
    run("sumRows", args, outer, share(outer, work, 16));
  }
}
