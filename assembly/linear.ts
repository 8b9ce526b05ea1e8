// Matrix products. Their outputs are split over the threads, never their sums.
import { gemm, packPanel, panelBytes, scratchOf } from "./gemm";

@unmanaged export class PackArgs {
  b: usize; bRow: usize; bColumn: usize; bias: usize; bias2: usize; bias2Columns: i32; k: i32; n: i32; out: usize;
}

/** Packs panels [from, to) of B [k, n], 16 columns each, with bias + bias2 (in the first columns) as the row the sums start from. */
export function packPanels(a: PackArgs, from: i32, to: i32): void {
  const bytes = panelBytes(a.k);
  for (let p = from; p < to; p++) {
    packPanel(a.b, a.bRow, a.bColumn, a.bias, a.bias2, a.bias2Columns, a.k, a.n, p << 4, a.out + <usize>p * bytes);
  }
}

@unmanaged export class GemmArgs {
  a: usize; aRow: usize; aColumn: usize; b: usize; c: usize; cRow: usize; m: i32; n: i32; k: i32; accumulate: i32;
  scratch: usize; chunk: i32;
}

/** Rows [from, to) of C = start + A·B. */
export function gemmRows(g: GemmArgs, from: i32, to: i32): void {
  const row = <usize>from;
  gemm(
    g.a + row * g.aRow, g.aRow, g.aColumn, g.b, g.c + row * g.cRow, g.cRow, to - from, g.n, g.k, g.accumulate != 0,
    scratchOf(g.scratch, from, g.chunk),
  );
}

/** Column panels [from, to) of the same, for few rows and many columns. */
export function gemmPanels(g: GemmArgs, from: i32, to: i32): void {
  const panel = <usize>from;
  gemm(
    g.a, g.aRow, g.aColumn, g.b + panel * panelBytes(g.k), g.c + (panel << 6), g.cRow, g.m,
    min(g.n, to << 4) - (from << 4), g.k, g.accumulate != 0, scratchOf(g.scratch, from, g.chunk),
  );
}

@unmanaged export class BatchArgs {
  table: usize; terms: i32; aRow: usize; aColumn: usize; bRow: usize; bColumn: usize; cRow: usize;
  m: i32; n: i32; k: i32; accumulate: i32; packed: usize; packedBytes: usize; scratch: usize; chunk: i32;
}

/**
 * Products [from, to) of a batch, C = start + A₀·B₀ + A₁·B₁ + …; `table` has a row of addresses for each: C, then `terms`
 * pairs A, B. `packed` has room for one packed B per chunk.
 */
export function gemmBatch(g: BatchArgs, from: i32, to: i32): void {
  const packed = g.packed + <usize>(from / g.chunk) * g.packedBytes;
  const scratch = scratchOf(g.scratch, from, g.chunk);
  for (let i = from; i < to; i++) {
    let row = g.table + <usize>(i * (2 * g.terms + 1)) * 4;
    const c = load<usize>(row);
    for (let t = 0; t < g.terms; t++, row += 8) {
      const a = load<usize>(row, 4), b = load<usize>(row, 8);
      for (let j = 0, out = packed; j < g.n; j += 16, out += panelBytes(g.k)) {
        packPanel(b, g.bRow, g.bColumn, 0, 0, 0, g.k, g.n, j, out);
      }
      gemm(a, g.aRow, g.aColumn, packed, c, g.cRow, g.m, g.n, g.k, g.accumulate != 0 || t > 0, scratch);
    }
  }
}

@unmanaged export class ColumnSumArgs { x: usize; xRow: usize; rows: i32; out: usize }

/** out[j] += the sum of column j of x, for j in [from, to): four rows at a time, in order. */
export function columnSum(a: ColumnSumArgs, from: i32, to: i32): void {
  const first = a.out + (<usize>from << 2), end = a.out + (<usize>to << 2), row = a.xRow;
  let x = a.x + (<usize>from << 2), r = a.rows;
  for (; r >= 4; r -= 4, x += 4 * row) {
    let out = first, p = x;
    for (; out + 16 <= end; out += 16, p += 16) {
      const low = f32x4.add(v128.load(p), v128.load(p + row));
      const high = f32x4.add(v128.load(p + 2 * row), v128.load(p + 3 * row));
      v128.store(out, f32x4.add(v128.load(out), f32x4.add(low, high)));
    }
    for (; out < end; out += 4, p += 4) {
      const low = f32.load(p) + f32.load(p + row), high = f32.load(p + 2 * row) + f32.load(p + 3 * row);
      f32.store(out, f32.load(out) + (low + high));
    }
  }
  for (; r > 0; r--, x += row) {
    let out = first, p = x;
    for (; out < end; out += 4, p += 4) f32.store(out, f32.load(out) + f32.load(p));
  }
}
