// Matrix products. Their outputs are split over the threads, never their sums.
import { gemm, packPanel, panelBytes, scratchOf } from "./gemm";
import { loadUpTo4, storeUpTo4 } from "./vector";

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

/** out[j] += the sum of column j of x, for j in [from, to): eight rows at a time, in order. */
export function columnSum(a: ColumnSumArgs, from: i32, to: i32): void {
  const first = a.out + (<usize>from << 2), row = a.xRow;
  let x = a.x + (<usize>from << 2), r = a.rows;
  for (; r >= 8; r -= 8, x += 8 * row) {
    let out = first, p = x, n = to - from;
    for (; n >= 8; n -= 8, out += 32, p += 32) {
      const p1 = p + row, p2 = p1 + row, p3 = p2 + row, p4 = p3 + row, p5 = p4 + row, p6 = p5 + row, p7 = p6 + row;
      let s0 = f32x4.add(v128.load(p), v128.load(p1)), s1 = f32x4.add(v128.load(p, 16), v128.load(p1, 16));
      let t0 = f32x4.add(v128.load(p2), v128.load(p3)), t1 = f32x4.add(v128.load(p2, 16), v128.load(p3, 16));
      s0 = f32x4.add(s0, t0), s1 = f32x4.add(s1, t1);
      t0 = f32x4.add(v128.load(p4), v128.load(p5)), t1 = f32x4.add(v128.load(p4, 16), v128.load(p5, 16));
      s0 = f32x4.add(s0, t0), s1 = f32x4.add(s1, t1);
      t0 = f32x4.add(v128.load(p6), v128.load(p7)), t1 = f32x4.add(v128.load(p6, 16), v128.load(p7, 16));
      s0 = f32x4.add(s0, t0), s1 = f32x4.add(s1, t1);
      s0 = f32x4.add(v128.load(out), s0), s1 = f32x4.add(v128.load(out, 16), s1);
      v128.store(out, s0);
      v128.store(out, s1, 16);
    }
    for (; n > 0; n -= 4, out += 16, p += 16) storeUpTo4(out, f32x4.add(loadUpTo4(out, n), eightRows(p, row, n)), n);
  }
  for (; r > 0; r--, x += row) {
    let out = first, p = x;
    for (let n = to - from; n > 0; n -= 4, out += 16, p += 16) storeUpTo4(out, f32x4.add(loadUpTo4(out, n), loadUpTo4(p, n)), n);
  }
}

/** The sum of eight rows as above, of up to four columns. */
function eightRows(p: usize, row: usize, n: i32): v128 {
  let sum = f32x4.add(loadUpTo4(p, n), loadUpTo4(p + row, n));
  for (let pair = 1; pair < 4; pair++) {
    p += 2 * row;
    sum = f32x4.add(sum, f32x4.add(loadUpTo4(p, n), loadUpTo4(p + row, n)));
  }
  return sum;
}
