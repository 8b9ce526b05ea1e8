import { shapeKernels } from "#kernels";
import { apply, expectDtype, expectWeight } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { getEngine, share, use } from "../engine/engine.ts";
import { DataError, ShapeError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { formatShape, resolveAxis, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { int8RowsOf } from "./int8.ts";

const run = use(shapeKernels);

/** The first of `count` indices, at an address, that is neither in [0, limit) nor `except`. */
export function findOutside(indices: number, count: number, limit: number, except = 0): number | undefined {
  const { memory } = getEngine();
  const out = workspace(1);
  run("firstOutside", { indices, count, limit, except, out });
  const place = limit === 0 && count > 0 ? 0 : memory.i32(out, 1)[0]!;
  return place < 0 ? undefined : memory.i32(indices, count)[place];
}

/** dst = the rows of x [outer, size, width] that the indices name. */
function gatherRows(
  x: number,
  [outer, size, width]: Parts,
  indices: number,
  count: number,
  out: number,
): void {
  const rows = outer * count;
  run("gatherForward", { x, indices, out, size, count, width }, rows, share(rows, rows * width));
}

/** Its adjoint: adds each row of dy to the one it came from, in the order of the indices, but for those of `skip`. */
function scatterRows(
  dy: number,
  [outer, size, width]: Parts,
  indices: number,
  count: number,
  dx: number,
  skip = -1,
): void {
  const columns = outer * width;
  const args = { dy, indices, dx, size, count, width, skip };
  run("gatherBackward", args, columns, share(columns, columns * count, 16));
}

/** A shape around an axis: before it, the axis, after it. */
type Parts = [outer: number, size: number, inner: number];

const partsOf = (shape: Shape, axis: number): Parts => [
  sizeOf(shape.slice(0, axis)),
  shape[axis]!,
  sizeOf(shape.slice(axis + 1)),
];

interface Gather {
  axis: number;
  dtype: DType;
}

export function indexError({ axis }: Gather, shape: Shape, index: number): DataError {
  return new DataError(`gather: index ${index} is outside axis ${axis} of size ${shape[axis]}`);
}

export const gatherOp: Op<"x" | "indices", "y", never, Gather> = {
  name: "gather",
  infer: ({ x, indices }, { axis, dtype }) => ({
    outputs: { y: { shape: x.toSpliced(axis, 1, ...indices), dtype } },
    saved: {},
  }),
  forward({ shapes, inputs: { x, indices }, outputs: { y } }, attributes) {
    const parts = partsOf(shapes.x, attributes.axis);
    const count = sizeOf(shapes.indices);
    const bad = findOutside(indices, count, parts[1]);
    if (bad !== undefined) throw indexError(attributes, shapes.x, bad);
    gatherRows(x, parts, indices, count, y);
  },
  backward({ shapes, inputs: { indices }, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { axis }) {
    scatterRows(dy, partsOf(shapes.x, axis), indices, sizeOf(shapes.indices), dx);
  },
};

export function tokenError(token: number, vocabulary: number): DataError {
  return new DataError(`embedding: token ${token} is outside the vocabulary of ${vocabulary}`);
}

interface Embedding {
  /** −1: none. */
  paddingIdx: number;
}

export const embeddingOp: Op<"tokens" | "weight", "y", never, Embedding> = {
  name: "embedding",
  cost: ({ tokens, weight }) => ({ bytes: 8 * sizeOf(tokens) * weight[1]! }),
  infer({ tokens, weight }) {
    if (weight.length !== 2) {
      throw new ShapeError(`embedding: weight must be [vocabulary, size], got ${formatShape(weight)}`);
    }
    return { outputs: { y: [...tokens, weight[1]!] }, saved: {} };
  },
  forward({ shapes, int8, inputs: { tokens, weight }, outputs: { y } }) {
    const count = sizeOf(shapes.tokens);
    const [vocabulary, size] = shapes.weight as [number, number];
    const bad = findOutside(tokens, count, vocabulary);
    if (bad !== undefined) throw tokenError(bad, vocabulary);
    if (int8.weight) int8RowsOf(weight, size, tokens, count, y);
    else gatherRows(weight, [1, vocabulary, size], tokens, count, y);
  },
  backward({ shapes, inputs: { tokens }, gradOutputs: { y: dy }, gradInputs: { weight } }, { paddingIdx }) {
    const [vocabulary, size] = shapes.weight as [number, number];
    scatterRows(dy, [1, vocabulary, size], tokens, sizeOf(shapes.tokens), weight, paddingIdx);
  },
};

/**
 * The slices of x along an axis that int32 indices name, in their order: x [A, B, C], indices [K, L], axis 1 give
 * [A, K, L, C]. This is ONNX's Gather and NumPy's take.
 */
export function gather(x: Tensor, indices: Tensor, axis: number): Tensor {
  expectDtype("gather", "indices", indices, "int32");
  const resolved = resolveAxis("gather", axis, x.shape.length);
  return apply(gatherOp, { x, indices }, { axis: resolved, dtype: x.dtype }).y;
}

/**
 * The rows of weight [V, E] that int32 tokens [...] name: [..., E]. The gradient of a row is the sum over its uses, in
 * their order; that of `paddingIdx` is left out.
 */
export function embedding(tokens: Tensor, weight: Tensor, { paddingIdx = -1 } = {}): Tensor {
  expectDtype("embedding", "tokens", tokens, "int32");
  expectWeight("embedding", "weight", weight);
  return apply(embeddingOp, { tokens, weight }, { paddingIdx }).y;
}
