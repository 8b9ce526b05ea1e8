import { linearKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { getEngine, share, use } from "../engine/engine.ts";
import { ShapeError } from "../errors.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Matrix, matrix, multiply, pack, packedFloats, productScratch, transposed } from "./gemm.ts";

const run = use(linearKernels);

/** `count` matrices behind one another, and which of them is used in each product. */
interface Batch {
  first: Matrix;
  count: number;
  index: readonly number[];
}

/** For each matrix of a broadcast batch, which one of the operand's it is. */
export function batchIndex(leading: Shape, batch: Shape): number[] {
  const offset = batch.length - leading.length;
  const strides = stridesOf(leading);
  const outStrides = stridesOf(batch);
  return Array.from({ length: sizeOf(batch) }, (_, i) => {
    let index = 0;
    for (let axis = 0; axis < leading.length; axis++) {
      const at = Math.floor(i / outStrides[axis + offset]!) % batch[axis + offset]!;
      if (leading[axis] !== 1) index += at * strides[axis]!;
    }
    return index;
  });
}

/** C[c.index[i]] += or = A[a.index[i]]·B[b.index[i]], for all i. The products that make one C are added by one thread, in order. */
function multiplyBatch(a: Batch, b: Batch, c: Batch, accumulate: boolean): void {
  const [m, k, n] = [a.first.rows, a.first.columns, b.first.columns];
  const { count } = c;
  if (count === 0) return;
  const terms = c.index.length / count;
  const table = workspace(count * (2 * terms + 1));
  const rows = getEngine().memory.i32(table, count * (2 * terms + 1));
  const at = ({ first }: Batch, i: number) => first.at + 4 * i * first.rows * first.columns;
  const filled = new Int32Array(count);
  c.index.forEach((target, i) => {
    const row = target * (2 * terms + 1);
    rows[row] = at(c, target);
    rows.set([at(a, a.index[i]!), at(b, b.index[i]!)], row + 1 + 2 * filled[target]!++);
  });
  const chunk = share(count, 2 * m * n * k * c.index.length);
  const chunks = Math.ceil(count / chunk);
  const args = {
    table,
    terms,
    aRow: 4 * a.first.rowStride,
    aColumn: 4 * a.first.columnStride,
    bRow: 4 * b.first.rowStride,
    bColumn: 4 * b.first.columnStride,
    cRow: 4 * c.first.rowStride,
    m,
    n,
    k,
    accumulate: accumulate ? 1 : 0,
    packed: workspace(chunks * packedFloats(k, n)),
    packedBytes: 4 * packedFloats(k, n),
    scratch: productScratch(count, chunk),
    chunk,
  };
  run("gemmBatch", args, count, chunk);
}

/** The operands as matrices. If b is one matrix, a's leading axes are more rows of one, and there is one product. */
function split(shapes: { a: Shape; b: Shape }, at: { a: number; b: number; y: number }) {
  const leading = { a: shapes.a.slice(0, -2), b: shapes.b.slice(0, -2) };
  const [k, n] = shapes.b.slice(-2) as [number, number];
  const single = sizeOf(leading.b) === 1;
  const m = single ? sizeOf(shapes.a.slice(0, -1)) : shapes.a.at(-2)!;
  const batch = single ? [] : broadcastShapes("matmul", leading.a, leading.b);
  const batchOf = (first: Matrix, leading: Shape): Batch => ({
    first,
    count: sizeOf(leading),
    index: single ? [0] : batchIndex(leading, batch),
  });
  return {
    single,
    a: batchOf(matrix(at.a, m, k), leading.a),
    b: batchOf(matrix(at.b, k, n), leading.b),
    y: batchOf(matrix(at.y, m, n), batch),
  };
}

const turned = (batch: Batch): Batch => ({ ...batch, first: transposed(batch.first) });

export const matmulOp: Op<"a" | "b", "y", never, object> = {
  name: "matmul",
  cost({ a, b }) {
    const count = sizeOf(broadcastShapes("matmul", a.slice(0, -2), b.slice(0, -2)));
    return { flops: 2 * count * a.at(-2)! * a.at(-1)! * b.at(-1)! };
  },
  infer({ a, b }) {
    if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2)) {
      throw new ShapeError(
        `matmul: operands must be [..., M, K] and [..., K, N], got ${formatShape(a)} and ${formatShape(b)}`,
      );
    }
    const batch = broadcastShapes("matmul", a.slice(0, -2), b.slice(0, -2));
    return { outputs: { y: [...batch, a.at(-2)!, b.at(-1)!] }, saved: {} };
  },
  forward({ shapes, inputs, outputs }) {
    const { single, a, b, y } = split(shapes, { ...inputs, ...outputs });
    if (single) multiply(a.first, pack(b.first), y.first);
    else multiplyBatch(a, b, y, false);
  },
  backward({ shapes, inputs, gradOutputs, gradInputs }) {
    const { single, a, b, y: dy } = split(shapes, { ...inputs, ...gradOutputs });
    const da = { ...a, first: { ...a.first, at: gradInputs.a } };
    const db = { ...b, first: { ...b.first, at: gradInputs.b } };
    if (gradInputs.a) {
      if (single) multiply(dy.first, pack(transposed(b.first)), da.first, true);
      else multiplyBatch(dy, turned(b), da, true);
    }
    if (gradInputs.b) {
      if (single) multiply(transposed(a.first), pack(dy.first), db.first, true);
      else multiplyBatch(turned(a), dy, db, true);
    }
  },
};

/** The matrix product, [..., M, K]·[..., K, N] → [..., M, N]; leading axes broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  expectDtype("matmul", "a", a, "float32");
  expectDtype("matmul", "b", b, "float32");
  return apply(matmulOp, { a, b }, {}).y;
}
