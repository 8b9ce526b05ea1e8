// A tile of C, 4 rows by 8 columns, stays in registers while k goes by: B is read for four rows at once, C not at all.
import { madd } from "../../../assembly/math";

@inline function at(base: usize, row: i32, column: i32, width: i32): usize {
  return base + (<usize>(row * width + column) << 2);
}

export function product(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    let j = 0;
    for (; j + 8 <= n; j += 8) tile(at(a, i, 0, k), <usize>k << 2, at(b, 0, j, n), <usize>n << 2, at(c, i, j, n), k);
    for (let r = i; r < i + 4; r++) rest(at(a, r, 0, k), b, at(c, r, 0, n), j, n, k);
  }
  for (; i < m; i++) rest(at(a, i, 0, k), b, at(c, i, 0, n), 0, n, k);
}

function tile(a: usize, aRow: usize, b: usize, row: usize, c: usize, k: i32): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
  for (let p: usize = 0, end = <usize>k << 2; p < end; p += 4, b += row) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a + p);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a1 + p);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a2 + p);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a3 + p);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
  }
  v128.store(c, c00), v128.store(c, c01, 16);
  v128.store(c + row, c10), v128.store(c + row, c11, 16);
  v128.store(c + 2 * row, c20), v128.store(c + 2 * row, c21, 16);
  v128.store(c + 3 * row, c30), v128.store(c + 3 * row, c31, 16);
}

/** Columns [j, n) of one row. */
function rest(a: usize, b: usize, c: usize, j: i32, n: i32, k: i32): void {
  for (; j < n; j++) {
    let sum: f32 = 0;
    for (let p = 0; p < k; p++) sum += f32.load(a + (<usize>p << 2)) * f32.load(at(b, p, j, n));
    f32.store(c + (<usize>j << 2), sum);
  }
}
