// C = start + A·B, the product everything rests on.
//
// How a kernel multiplies:
//  1. B [k, n], any strides, is packed once: `packPanel` for each of its ⌈n/16⌉ panels, `packedBytes(n, k)` in all. A
//     panel is k + 1 rows of 16 floats: first the row the sums start from (a bias, or zeros), then B's rows; columns
//     past n are zero. In ops: `pack` of src/ops/gemm.ts, which spreads the panels over the threads.
//  2. `gemm(…, scratch)` multiplies as often as it likes. A [m, k] has any strides, so a transpose costs nothing; C's
//     rows are contiguous. `accumulate` starts from what is in C, else from the panels' first row.
//  3. `scratch` is SCRATCH bytes that nobody else uses meanwhile; a kernel split over threads takes its own part with
//     `scratchOf(a.scratch, from, a.chunk)`, out of chunks × SCRATCH bytes.
// Strides are in bytes. A, the packed B and C do not overlap.
//
// Each element of C is one chain of multiply-adds in ascending k, whatever the tile, the blocks and the split: rows and
// panels may be computed in any parts by any threads and have the same bits. k is cut into blocks between which the
// sums rest in C, exactly.
import { tile8, tile16 } from "./generated/tiles";
import { gemvColumns } from "./gemv";

const WIDE_TILES: usize = 324; // as in src/engine/control.ts
const ROWS: i32 = 6; // of the largest tile
const MC: i32 = 192; // rows of A packed at a time, so that they stay in the second-level cache
const KC: i32 = 256; // k per block, so that a panel of B stays in the first-level cache
const TEMPORARY: usize = <usize>(MC * KC) << 2; // where in the scratch the tile at the right edge is computed

/** Bytes of working memory per thread; src/engine/control.ts has the same. */
export const SCRATCH: usize = TEMPORARY + <usize>(ROWS * 16) * 4;

/** The scratch of the thread that computes units [from, …) in chunks of `chunk`. */
@inline export function scratchOf(scratch: usize, from: i32, chunk: i32): usize {
  return scratch + <usize>(from / chunk) * SCRATCH;
}

@inline export function panelBytes(k: i32): usize {
  return <usize>(k + 1) << 6;
}

/** Four rows of four floats, columns `stride` apart become rows `step` apart. */
@inline function transpose4(p: usize, stride: usize, out: usize, step: usize): void {
  const a = v128.load(p), b = v128.load(p + stride), c = v128.load(p + 2 * stride), d = v128.load(p + 3 * stride);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7), CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(out + step, v128.shuffle<i64>(ab, cd, 1, 3));
  v128.store(out + 2 * step, v128.shuffle<i64>(AB, CD, 0, 2));
  v128.store(out + 3 * step, v128.shuffle<i64>(AB, CD, 1, 3));
}

/**
 * Packs columns [j, j + 16) of B [k, n] into `out`, under a first row of bias + bias2 (each may be 0: absent; bias2 is for
 * the first n2 columns).
 */
export function packPanel(
  b: usize, bRow: usize, bColumn: usize, bias: usize, bias2: usize, n2: i32, k: i32, n: i32, j: i32, out: usize,
): void {
  const columns = min(16, n - j);
  if (columns < 16) memory.fill(out, 0, panelBytes(k));
  else memory.fill(out, 0, 64);
  for (let c = 0; c < columns; c++) {
    const at = <usize>(j + c) << 2;
    let sum: f32 = 0;
    if (bias) sum = f32.load(bias + at);
    if (bias2 && j + c < n2) sum += f32.load(bias2 + at);
    f32.store(out + (<usize>c << 2), sum);
  }
  out += 64;
  b += <usize>j * bColumn;
  let row = 0;
  if (columns == 16 && bColumn == 4) {
    for (; row < k; row++, b += bRow, out += 64) {
      const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
      v128.store(out, b0);
      v128.store(out, b1, 16);
      v128.store(out, b2, 32);
      v128.store(out, b3, 48);
    }
  } else if (columns == 16 && bRow == 4) {
    for (; row + 4 <= k; row += 4, b += 16, out += 256) {
      for (let c: usize = 0; c < 16; c += 4) transpose4(b + c * bColumn, bColumn, out + (c << 2), 64);
    }
  }
  for (; row < k; row++, b += bRow, out += 64) {
    let p = b;
    for (let c = 0; c < columns; c++, p += bColumn) f32.store(out + (<usize>c << 2), f32.load(p));
  }
}

/** Packs `rows` (1 to 6) rows of A, k columns, so that the rows' values for one k lie together. */
function packRows(a: usize, aRow: usize, aColumn: usize, rows: i32, k: i32, out: usize): void {
  const step = <usize>rows << 2;
  let column = 0;
  if (rows == 1 && aColumn == 4) {
    memory.copy(out, a, <usize>k << 2);
    return;
  }
  if (rows >= 4) {
    if (aRow == 4) {
      if (rows == 6) {
        for (; column < k; column++, a += aColumn, out += 24) {
          v128.store(out, v128.load(a));
          i64.store(out, i64.load(a, 16), 16);
        }
      } else {
        for (; column < k; column++, a += aColumn, out += step) {
          v128.store(out, v128.load(a));
          if (rows > 4) f32.store(out, f32.load(a, 16), 16);
        }
      }
    } else if (aColumn == 4) {
      // Rows 0 to 3 and the last four, which overlap and agree.
      const last = <usize>(rows - 4);
      for (; column + 4 <= k; column += 4, a += 16, out += step << 2) {
        transpose4(a, aRow, out, step);
        if (last) transpose4(a + last * aRow, aRow, out + (last << 2), step);
      }
    }
  }
  for (; column < k; column++, a += aColumn, out += step) {
    let p = a;
    for (let r: usize = 0; r < step; r += 4, p += aRow) f32.store(out + r, f32.load(p));
  }
}

@inline function copyRows(from: usize, fromRow: usize, to: usize, toRow: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++, from += fromRow, to += toRow) {
    for (let c: usize = 0; c < <usize>columns << 2; c += 4) f32.store(to + c, f32.load(from + c));
  }
}

/**
 * C [m, n] = start + A [m, k]·B: `b` is B packed, `accumulate` starts from C, else the panels' first row is the start.
 */
export function gemm(
  a: usize, aRow: usize, aColumn: usize, b: usize, c: usize, cRow: usize, m: i32, n: i32, k: i32, accumulate: bool,
  scratch: usize,
): void {
  const wide = i32.load(WIDE_TILES) != 0;
  if (m == 1 && aColumn == 4) {
    const done = gemvColumns(a, b, c, n, k, accumulate, wide);
    if (done == n) return;
    b += <usize>(done >> 4) * panelBytes(k), c += <usize>done << 2, n -= done;
  }
  const temporary = scratch + TEMPORARY;
  const kBlock = k > KC ? (k + (k + KC - 1) / KC - 1) / ((k + KC - 1) / KC) : k;
  const mBlock = min(MC, m);
  for (let k0 = 0; k0 == 0 || k0 < k; k0 += max(kBlock, 1)) {
    const kk = min(kBlock, k - k0);
    const fromC = accumulate || k0 > 0;
    for (let m0 = 0; m0 < m; m0 += mBlock) {
      // The rows are dealt evenly to as few tiles as will do: 50 rows are 5 tiles of 6 and 4 of 5.
      const mm = min(mBlock, m - m0);
      const tiles = (mm + ROWS - 1) / ROWS;
      const few = mm / tiles, many = mm % tiles;
      // Where the rows are contiguous (a transpose), a few columns of all tiles at a time, as they lie in memory.
      const kStep = aRow == 4 ? 16 : max(kk, 1);
      let packed = scratch;
      for (let k1 = 0; k1 < kk; k1 += kStep) {
        let p = a + <usize>m0 * aRow + <usize>(k0 + k1) * aColumn;
        packed = scratch;
        for (let t = 0; t < tiles; t++) {
          const rows = few + i32(t < many);
          packRows(p, aRow, aColumn, rows, min(kStep, kk - k1), packed + (<usize>(rows * k1) << 2));
          packed += <usize>(rows * kk) << 2;
          p += <usize>rows * aRow;
        }
      }
      let panel = b;
      for (let j = 0; j < n; j += 16, panel += panelBytes(k)) {
        const bp = panel + (<usize>(k0 + 1) << 6);
        const columns = min(16, n - j);
        let q = c + <usize>m0 * cRow + (<usize>j << 2);
        packed = scratch;
        for (let t = 0; t < tiles; t++) {
          const rows = few + i32(t < many);
          let start = fromC ? q : panel, startRow = fromC ? cRow : 0;
          let out = q, outRow = cRow;
          if (columns < 16) {
            if (fromC) {
              copyRows(q, cRow, temporary, 64, rows, columns);
              start = temporary;
              startRow = 64;
            }
            out = temporary;
            outRow = 64;
          }
          if (columns <= 8) {
            tile8(rows, packed, bp, kk, start, startRow, out, outRow);
          } else if (wide) {
            tile16(rows, packed, bp, kk, start, startRow, out, outRow);
          } else {
            tile8(rows, packed, bp, kk, start, startRow, out, outRow);
            tile8(rows, packed, bp + 32, kk, start + 32, startRow, out + 32, outRow);
          }
          if (columns < 16) copyRows(temporary, 64, q, cRow, rows, columns);
          packed += <usize>(rows * kk) << 2;
          q += <usize>rows * cRow;
        }
      }
    }
  }
}
