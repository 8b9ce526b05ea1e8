// Products with weights of eight bits, for inference: a quarter of the bytes, and a row's product is as fast as its bytes
// come.
//
// W [n, k] is rounded row by row to whole numbers from −127 to 127 times a scale. A panel holds 16 rows of it: 16 scales,
// 16 sums of the row times 64, then for each four k the rows' four bytes together. The rows of A are rounded, as they
// come, to seven bits: 63 times a/max|a|, plus 64 to be above zero, which the sums take off again. Seven, because the
// instruction that multiplies bytes four by four, `relaxed_dot`, says what it does with those alone. All sums are of
// whole numbers and exact: neither build nor tile nor thread changes a bit of a product.
import { loadTail } from "./vector";

const WIDE_TILES: usize = 324; // as in src/engine/control.ts
const HEAD: usize = 128;

@inline function panelBytes(k: i32): usize {
  return HEAD + (<usize>((k + 3) >> 2) << 6);
}

@unmanaged export class PackInt8Args { weight: usize; n: i32; k: i32; out: usize }

/** Packs panels [from, to) of W. The scale of a row that is not finite is NaN. */
export function packInt8(a: PackInt8Args, from: i32, to: i32): void {
  const k = a.k, bytes = panelBytes(k);
  for (let p = from; p < to; p++) {
    const out = a.out + <usize>p * bytes;
    memory.fill(out, 0, bytes);
    for (let c = 0; c < min(16, a.n - (p << 4)); c++) {
      const row = a.weight + (<usize>((p << 4) + c) * <usize>k << 2);
      let most: f32 = 0;
      for (let i = 0; i < k; i++) most = max(most, abs(f32.load(row + (<usize>i << 2))));
      const head = out + (<usize>c << 2);
      f32.store(head, most < f32.MAX_VALUE ? most / 127 : NaN);
      if (!(most > 0 && most < f32.MAX_VALUE)) continue;
      const inverse: f32 = 127 / most;
      let sum = 0;
      for (let i = 0; i < k; i++) {
        const q = i32(nearest(f32.load(row + (<usize>i << 2)) * inverse));
        i32.store8(head + HEAD + (<usize>(i >> 2) << 6) + <usize>(i & 3), q);
        sum += q;
      }
      i32.store(head, sum << 6, 64);
    }
  }
}

@unmanaged export class RoundRowsArgs { a: usize; aRow: usize; k: i32; out: usize; scales: usize }

/** Rows [from, to) of A in seven bits, 4·⌈k/4⌉ bytes each, and their scales; NaN if a row is not finite. */
export function roundRows(a: RoundRowsArgs, from: i32, to: i32): void {
  const k = a.k, whole = k & ~3, row = <usize>((k + 3) >> 2) << 2;
  for (let r = from; r < to; r++) {
    const x = a.a + <usize>r * a.aRow, end = x + (<usize>whole << 2);
    let most = f32x4.splat(0);
    for (let p = x; p < end; p += 16) most = f32x4.max(most, f32x4.abs(v128.load(p)));
    if (whole < k) most = f32x4.max(most, f32x4.abs(loadTail(end, k - whole)));
    const largest = max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    );
    const finite = largest < f32.MAX_VALUE;
    f32.store(a.scales + (<usize>r << 2), finite ? largest / 63 : NaN);
    const inverse = f32x4.splat(finite && largest > 0 ? 63 / largest : 0);
    let out = a.out + <usize>r * row;
    for (let p = x; p < end; p += 16, out += 4) v128.store32_lane(out, sevenBits(v128.load(p), inverse), 0);
    if (whole < k) v128.store32_lane(out, sevenBits(loadTail(end, k - whole), inverse), 0);
  }
}

@inline function sevenBits(x: v128, inverse: v128): v128 {
  const q = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, inverse))), i32x4.splat(64));
  const words = i16x8.narrow_i32x4_s(q, q);
  return i8x16.narrow_i16x8_u(words, words);
}

/** sum + the products of four bytes each of w and x, lane by lane; x is of seven bits. */
@inline function dot(w: v128, x: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
  const low = i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_low_i8x16_s(w, x));
  const high = i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_high_i8x16_s(w, x));
  const even = v128.shuffle<i32>(low, high, 0, 2, 4, 6), odd = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
  return i32x4.add(sum, i32x4.add(even, odd));
}

/** The sums of a row with four panels, which are read side by side. */
function tile4(a: usize, k: i32, b: usize, panel: usize, sums: usize): void {
  const zero = i32x4.splat(0);
  let c0 = zero, c1 = zero, c2 = zero, c3 = zero, d0 = zero, d1 = zero, d2 = zero, d3 = zero;
  let e0 = zero, e1 = zero, e2 = zero, e3 = zero, f0 = zero, f1 = zero, f2 = zero, f3 = zero;
  let p = b + HEAD, q = p + panel, r = q + panel, s = r + panel;
  for (const end = a + <usize>k; a < end; a += 4, p += 64, q += 64, r += 64, s += 64) {
    const x = v128.load32_splat(a);
    const p0 = v128.load(p), p1 = v128.load(p, 16), p2 = v128.load(p, 32), p3 = v128.load(p, 48);
    c0 = dot(p0, x, c0), c1 = dot(p1, x, c1), c2 = dot(p2, x, c2), c3 = dot(p3, x, c3);
    const q0 = v128.load(q), q1 = v128.load(q, 16), q2 = v128.load(q, 32), q3 = v128.load(q, 48);
    d0 = dot(q0, x, d0), d1 = dot(q1, x, d1), d2 = dot(q2, x, d2), d3 = dot(q3, x, d3);
    const r0 = v128.load(r), r1 = v128.load(r, 16), r2 = v128.load(r, 32), r3 = v128.load(r, 48);
    e0 = dot(r0, x, e0), e1 = dot(r1, x, e1), e2 = dot(r2, x, e2), e3 = dot(r3, x, e3);
    const s0 = v128.load(s), s1 = v128.load(s, 16), s2 = v128.load(s, 32), s3 = v128.load(s, 48);
    f0 = dot(s0, x, f0), f1 = dot(s1, x, f1), f2 = dot(s2, x, f2), f3 = dot(s3, x, f3);
  }
  v128.store(sums, c0), v128.store(sums, c1, 16), v128.store(sums, c2, 32), v128.store(sums, c3, 48);
  v128.store(sums, d0, 64), v128.store(sums, d1, 80), v128.store(sums, d2, 96), v128.store(sums, d3, 112);
  v128.store(sums, e0, 128), v128.store(sums, e1, 144), v128.store(sums, e2, 160), v128.store(sums, e3, 176);
  v128.store(sums, f0, 192), v128.store(sums, f1, 208), v128.store(sums, f2, 224), v128.store(sums, f3, 240);
}

/** The sums of a row with one panel. */
function tile1(a: usize, k: i32, b: usize, sums: usize): void {
  const zero = i32x4.splat(0);
  let c0 = zero, c1 = zero, c2 = zero, c3 = zero, p = b + HEAD;
  for (const end = a + <usize>k; a < end; a += 4, p += 64) {
    const x = v128.load32_splat(a);
    const p0 = v128.load(p), p1 = v128.load(p, 16), p2 = v128.load(p, 32), p3 = v128.load(p, 48);
    c0 = dot(p0, x, c0), c1 = dot(p1, x, c1), c2 = dot(p2, x, c2), c3 = dot(p3, x, c3);
  }
  v128.store(sums, c0), v128.store(sums, c1, 16), v128.store(sums, c2, 32), v128.store(sums, c3, 48);
}

@unmanaged export class Int8ProductArgs {
  a: usize; // A in seven bits
  scales: usize; // its rows'
  b: usize; // W, packed
  c: usize; cRow: usize; // [m, n] of float32; rows in bytes
  bias: usize; bias2: usize; bias2Columns: i32; // what the sums start from unless `accumulate`; 0: absent
  first: i32; // of W's rows, the one that is C's first column
  m: i32; n: i32; k: i32; accumulate: i32;
  sums: usize; // 256 bytes a chunk
  chunk: i32;
}

/** C's columns that lie in panels [from, to), counted from the panel of the first: C = start + A·Wᵀ. */
export function int8Product(g: Int8ProductArgs, from: i32, to: i32): void {
  const k = g.k, bytes = panelBytes(k), row = <usize>((k + 3) >> 2) << 2;
  const sums = g.sums + (<usize>(from / g.chunk) << 8), four = i32.load(WIDE_TILES) != 0;
  const first = g.first >> 4;
  for (let p = from; p < to; ) {
    const panels = four && p + 4 <= to ? 4 : 1;
    const b = g.b + <usize>(first + p) * bytes;
    for (let r = 0; r < g.m; r++) {
      const a = g.a + <usize>r * row;
      if (panels == 4) tile4(a, k, b, bytes, sums);
      else tile1(a, k, b, sums);
      const scale = f32.load(g.scales + (<usize>r << 2));
      for (let i = 0; i < panels; i++) {
        const column = ((first + p + i) << 4) - g.first;
        finish(g, b + <usize>i * bytes, sums + (<usize>i << 6), scale, r, column);
      }
    }
    p += panels;
  }
}

/** A panel's sums of row r become C's columns from `column` on, as far as there are such. */
function finish(g: Int8ProductArgs, head: usize, sums: usize, scale: f32, r: i32, column: i32): void {
  const c = g.c + <usize>r * g.cRow + (<isize>column << 2);
  const from = max(0, -column), to = min(16, g.n - column);
  if (from == 0 && to == 16 && g.accumulate) {
    for (let i: usize = 0; i < 64; i += 16) {
      const sum = f32x4.convert_i32x4_s(i32x4.sub(v128.load(sums + i), v128.load(head + i, 64)));
      const y = f32x4.mul(sum, f32x4.mul(f32x4.splat(scale), v128.load(head + i)));
      v128.store(c + i, f32x4.add(v128.load(c + i), y));
    }
    return;
  }
  for (let i = from; i < to; i++) {
    const at = <usize>i << 2, j = column + i, p = <usize>j << 2;
    let start: f32 = 0;
    if (g.accumulate) start = f32.load(c + at);
    else {
      if (g.bias) start = f32.load(g.bias + p);
      if (g.bias2 && j < g.bias2Columns) start += f32.load(g.bias2 + p);
    }
    const sum = f32(i32.load(sums + at) - i32.load(head + at, 64));
    f32.store(c + at, start + sum * (scale * f32.load(head + at)));
  }
}

@unmanaged export class Int8RowsArgs { weight: usize; indices: usize; k: i32; out: usize }

/** The rows of W that indices [from, to) name, as float32. */
export function int8Rows(a: Int8RowsArgs, from: i32, to: i32): void {
  const k = a.k;
  for (let r = from; r < to; r++) {
    const index = i32.load(a.indices + (<usize>r << 2));
    const head = a.weight + <usize>(index >> 4) * panelBytes(k) + (<usize>(index & 15) << 2);
    const scale = f32.load(head), out = a.out + (<usize>r * <usize>k << 2);
    for (let i = 0; i < k; i++) {
      const q = i32.load8_s(head + HEAD + (<usize>(i >> 2) << 6) + <usize>(i & 3));
      f32.store(out + (<usize>i << 2), f32(q) * scale);
    }
  }
}
