// One row times a packed matrix: what a stream does, and a sequence by itself. Its speed is that of reading the matrix,
// and for this the tiles of gemm.ts do too little at a time: two vectors of 256 bits, each waiting for its last sum. Here
// panels are read side by side, as many as the sums find registers. Each element of C has one sum, k ascends, so the bits
// are those of the tiles.
import { madd } from "./math";

/** c[0..64] = start + a·b for four panels, `panel` bytes apart; their starts are `startPanel` bytes apart. */
function tile1x64(a: usize, b: usize, panel: usize, k: i32, start: usize, startPanel: usize, c: usize): void {
  let c0 = v128.load(start), c1 = v128.load(start, 16), c2 = v128.load(start, 32), c3 = v128.load(start, 48);
  start += startPanel;
  let d0 = v128.load(start), d1 = v128.load(start, 16), d2 = v128.load(start, 32), d3 = v128.load(start, 48);
  start += startPanel;
  let e0 = v128.load(start), e1 = v128.load(start, 16), e2 = v128.load(start, 32), e3 = v128.load(start, 48);
  start += startPanel;
  let f0 = v128.load(start), f1 = v128.load(start, 16), f2 = v128.load(start, 32), f3 = v128.load(start, 48);
  let p = b, q = p + panel, r = q + panel, s = r + panel;
  for (const end = a + (<usize>k << 2); a != end; a += 4, p += 64, q += 64, r += 64, s += 64) {
    const x = v128.load32_splat(a);
    const p0 = v128.load(p), p1 = v128.load(p, 16), p2 = v128.load(p, 32), p3 = v128.load(p, 48);
    c0 = madd(x, p0, c0), c1 = madd(x, p1, c1), c2 = madd(x, p2, c2), c3 = madd(x, p3, c3);
    const q0 = v128.load(q), q1 = v128.load(q, 16), q2 = v128.load(q, 32), q3 = v128.load(q, 48);
    d0 = madd(x, q0, d0), d1 = madd(x, q1, d1), d2 = madd(x, q2, d2), d3 = madd(x, q3, d3);
    const r0 = v128.load(r), r1 = v128.load(r, 16), r2 = v128.load(r, 32), r3 = v128.load(r, 48);
    e0 = madd(x, r0, e0), e1 = madd(x, r1, e1), e2 = madd(x, r2, e2), e3 = madd(x, r3, e3);
    const s0 = v128.load(s), s1 = v128.load(s, 16), s2 = v128.load(s, 32), s3 = v128.load(s, 48);
    f0 = madd(x, s0, f0), f1 = madd(x, s1, f1), f2 = madd(x, s2, f2), f3 = madd(x, s3, f3);
  }
  v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
  v128.store(c, d0, 64), v128.store(c, d1, 80), v128.store(c, d2, 96), v128.store(c, d3, 112);
  v128.store(c, e0, 128), v128.store(c, e1, 144), v128.store(c, e2, 160), v128.store(c, e3, 176);
  v128.store(c, f0, 192), v128.store(c, f1, 208), v128.store(c, f2, 224), v128.store(c, f3, 240);
}

/** c[0..32] = start + a·b for two panels, `panel` bytes apart; their starts are `startPanel` bytes apart. */
function tile1x32(a: usize, b: usize, panel: usize, k: i32, start: usize, startPanel: usize, c: usize): void {
  let c0 = v128.load(start), c1 = v128.load(start, 16), c2 = v128.load(start, 32), c3 = v128.load(start, 48);
  start += startPanel;
  let d0 = v128.load(start), d1 = v128.load(start, 16), d2 = v128.load(start, 32), d3 = v128.load(start, 48);
  let p = b, q = p + panel;
  for (const end = a + (<usize>k << 2); a != end; a += 4, p += 64, q += 64) {
    const x = v128.load32_splat(a);
    const p0 = v128.load(p), p1 = v128.load(p, 16), p2 = v128.load(p, 32), p3 = v128.load(p, 48);
    c0 = madd(x, p0, c0), c1 = madd(x, p1, c1), c2 = madd(x, p2, c2), c3 = madd(x, p3, c3);
    const q0 = v128.load(q), q1 = v128.load(q, 16), q2 = v128.load(q, 32), q3 = v128.load(q, 48);
    d0 = madd(x, q0, d0), d1 = madd(x, q1, d1), d2 = madd(x, q2, d2), d3 = madd(x, q3, d3);
  }
  v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
  v128.store(c, d0, 64), v128.store(c, d1, 80), v128.store(c, d2, 96), v128.store(c, d3, 112);
}

/** The first columns, a multiple of 32, of c [n] = start + a [k]·B; gives how many it did. */
export function gemvColumns(a: usize, b: usize, c: usize, n: i32, k: i32, accumulate: bool, wide: bool): i32 {
  const panel = <usize>(k + 1) << 6;
  let j = 0;
  for (; wide && j + 64 <= n; j += 64, b += 4 * panel, c += 256) {
    tile1x64(a, b + 64, panel, k, accumulate ? c : b, accumulate ? 64 : panel, c);
  }
  for (; j + 32 <= n; j += 32, b += 2 * panel, c += 128) {
    tile1x32(a, b + 64, panel, k, accumulate ? c : b, accumulate ? 64 : panel, c);
  }
  return j;
}
