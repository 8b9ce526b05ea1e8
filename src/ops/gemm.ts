import { linearKernels, memoryKernels } from "#kernels";
import { withWorkspace, workspace } from "../autograd/backend.ts";
import { PRODUCT_SCRATCH } from "../engine/control.ts";
import { getEngine, share, threads, use } from "../engine/engine.ts";
import { type Int8Rows, multiplyInt8 } from "./int8.ts";

const run = use(linearKernels, memoryKernels);

/** Working memory for the products of a kernel that takes `count` units in chunks of `chunk`. */
export function productScratch(count: number, chunk: number): number {
  return workspace((Math.ceil(count / chunk) * PRODUCT_SCRATCH) / 4);
}

/** A matrix in the engine's memory: its address, its size, and its strides in floats. */
export interface Matrix {
  at: number;
  rows: number;
  columns: number;
  rowStride: number;
  columnStride: number;
}

/** A row-major matrix. */
export function matrix(at: number, rows: number, columns: number, rowStride = columns): Matrix {
  return { at, rows, columns, rowStride, columnStride: 1 };
}

export function transposed({ at, rows, columns, rowStride, columnStride }: Matrix): Matrix {
  return { at, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride };
}

/** Floats that B [k, n] takes when packed. */
export function packedFloats(k: number, n: number): number {
  return Math.ceil(n / 16) * 16 * (k + 1);
}

/** The right operand of products, packed; products with it start from `bias` + `bias2`, or from zero. */
export interface Packed {
  at: number;
  rows: number;
  columns: number;
}

/**
 * Wᵀ as the right operand, of a weight W [n, k] or of some of its rows, with biases as `pack` takes them: packed, or as it is
 * if it is of int8.
 */
export function packWeight(
  weight: { at: number; int8: boolean; columns: number; rows: number; first?: number },
  bias = 0,
  bias2 = 0,
  bias2Columns = weight.rows,
): Packed | Int8Rows {
  const { at, int8, first = 0, rows: columns, columns: rows } = weight;
  if (int8) return { at, first, rows, columns, bias, bias2, bias2Columns };
  return packTransposed(matrix(at + 4 * first * rows, columns, rows), bias, bias2, bias2Columns);
}

/** The same of a weight that is not of int8. */
export function packTransposed(weight: Matrix, bias = 0, bias2 = 0, bias2Columns = weight.rows): Packed {
  const turned = transposed(weight);
  if (!kept) return pack(turned, bias, bias2, bias2Columns);
  const { made, room } = kept;
  const key = [weight.at, weight.rows, weight.columns, bias, bias2].join();
  const packed = made.get(key) ?? pack(turned, bias, bias2, bias2Columns, room);
  made.set(key, packed);
  return packed;
}

/** Weights that were packed, by what they were packed from, and where there is room for more. */
export interface Packs {
  made: Map<string, Packed>;
  room: (floats: number) => number;
}

let kept: Packs | undefined;

/** Runs f; the weights that it packs are kept, and not packed again: nobody may change them meanwhile. */
export function keepingPacks<T>(packs: Packs, f: () => T): T {
  const before = kept;
  kept = packs;
  try {
    return f();
  } finally {
    kept = before;
  }
}

/** Runs f, in which many steps use the same weights: each is packed once. */
export function packingOnce<T>(f: () => T): T {
  const { memory } = getEngine();
  const blocks: { address: number; bytes: number }[] = [];
  const room = (floats: number) => {
    const bytes = 4 * floats;
    const address = memory.allocate(bytes);
    blocks.push({ address, bytes });
    return address;
  };
  try {
    return keepingPacks({ made: new Map(), room }, f);
  } finally {
    for (const { address, bytes } of blocks) memory.free(address, bytes);
  }
}

/** Floats of a weight that is packed part by part, and of a part. */
const LARGE = 2 ** 23;
const PART = 2 ** 20;

/** Runs f for all rows of a weight or, if that is large, for part after part, so that no copy of the whole is packed. */
export function inParts(rows: number, columns: number, f: (first: number, count: number) => void): void {
  if (kept || rows * columns <= LARGE) {
    f(0, rows);
    return;
  }
  const count = Math.max(16, Math.floor(PART / columns / 16) * 16);
  for (let first = 0; first < rows; first += count) {
    withWorkspace(() => f(first, Math.min(count, rows - first)));
  }
}

/**
 * Packs B into `room`, which lasts as long as the running op, with up to two biases (addresses, 0: none), the second of
 * which may be that of the first columns alone.
 */
export function pack(b: Matrix, bias = 0, bias2 = 0, bias2Columns = b.columns, room = workspace): Packed {
  const out = room(packedFloats(b.rows, b.columns));
  const panels = Math.ceil(b.columns / 16);
  const args = {
    b: b.at,
    bRow: 4 * b.rowStride,
    bColumn: 4 * b.columnStride,
    bias,
    bias2,
    bias2Columns,
    k: b.rows,
    n: b.columns,
    out,
  };
  run("packPanels", args, panels, share(panels, 4 * b.rows * b.columns));
  return { at: out, rows: b.rows, columns: b.columns };
}

/** C = A·B, from the packed start or, with `accumulate`, on top of what C holds. C's columns are contiguous. */
export function multiply(a: Matrix, b: Packed | Int8Rows, c: Matrix, accumulate = false): void {
  const m = a.rows;
  if ("first" in b) {
    multiplyInt8({ ...a, row: 4 * a.rowStride }, b, { at: c.at, row: 4 * c.rowStride }, accumulate);
    return;
  }
  const panels = Math.ceil(b.columns / 16);
  const byRows = m >= 6 * threads() || m >= panels;
  const count = byRows ? m : panels;
  const chunk = share(count, 2 * m * b.rows * b.columns, byRows && m > 100 ? 6 : 1);
  const args = {
    a: a.at,
    aRow: 4 * a.rowStride,
    aColumn: 4 * a.columnStride,
    b: b.at,
    c: c.at,
    cRow: 4 * c.rowStride,
    m,
    n: b.columns,
    k: b.rows,
    accumulate: accumulate ? 1 : 0,
    scratch: productScratch(count, chunk),
    chunk,
  };
  run(byRows ? "gemmRows" : "gemmPanels", args, count, chunk);
}

/** out[j] += the sum of x's column j, for each `out` that is there: two biases have the same gradient. */
export function addColumnSums(x: Matrix, ...outs: number[]): void {
  const wanted = outs.filter((out) => out !== 0);
  if (wanted.length === 0) return;
  const n = x.columns;
  const sums = wanted.length === 1 ? wanted[0]! : workspace(n);
  if (wanted.length > 1) run("fill", { out: sums, value: 0 }, n);
  const chunk = share(n, x.rows * n, 16);
  run("columnSum", { x: x.at, xRow: 4 * x.rowStride, rows: x.rows, out: sums }, n, chunk);
  if (wanted.length > 1) for (const out of wanted) run("axpy", { x: sums, out, alpha: 1 }, n);
}
