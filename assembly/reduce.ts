// Reductions. Every output is one thread's work, in an order that the shape alone decides; sums are in double precision.
import { splat } from "./math";
import { firstLanes, high, loadUpTo4, low, storeUpTo4 } from "./vector";

/** Σ x, or Σ x² */
@inline export function sumOf(p: usize, n: i32, squared: bool): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (; n >= 8; n -= 8, p += 32) {
    const x = v128.load(p), y = v128.load(p, 16);
    const a = low(x), b = high(x), c = low(y), d = high(y);
    s0 = f64x2.add(s0, squared ? f64x2.mul(a, a) : a);
    s1 = f64x2.add(s1, squared ? f64x2.mul(b, b) : b);
    s2 = f64x2.add(s2, squared ? f64x2.mul(c, c) : c);
    s3 = f64x2.add(s3, squared ? f64x2.mul(d, d) : d);
  }
  for (; n > 0; n -= 4, p += 16) {
    const x = loadUpTo4(p, n), a = low(x), b = high(x);
    s0 = f64x2.add(s0, squared ? f64x2.mul(a, a) : a);
    s1 = f64x2.add(s1, squared ? f64x2.mul(b, b) : b);
  }
  const s = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

@unmanaged export class SumRowsArgs { x: usize; out: usize; length: i32; block: i32; scale: f32; accumulate: i32 }

/** out[row] (+)= scale·Σ x[row, :], each row cut into blocks with an output each; a unit is a block */
export function sumRows(a: SumRowsArgs, from: i32, to: i32): void {
  const blocks = max((a.length + a.block - 1) / a.block, 1);
  for (let i = from; i < to; i++) {
    const start = (i % blocks) * a.block;
    const x = a.x + (<usize>(i / blocks) * a.length + start << 2);
    const sum = f32(sumOf(x, min(a.block, a.length - start), false) * a.scale);
    const out = a.out + (<usize>i << 2);
    f32.store(out, a.accumulate ? f32.load(out) + sum : sum);
  }
}

@unmanaged export class SumColumnsArgs { x: usize; out: usize; rows: i32; width: i32; scale: f32; accumulate: i32 }

/** out[o, j] (+)= scale·Σᵢ x[o, i, j] for x [outer, rows, width]; a unit is 16 columns of one o */
export function sumColumns(a: SumColumnsArgs, from: i32, to: i32): void {
  const tiles = (a.width + 15) / 16, stride = <usize>a.width << 2;
  for (let unit = from; unit < to; unit++) {
    const o = unit / tiles;
    let column = (unit % tiles) * 16, left = min(a.width - column, 16);
    if (left == 16) {
      const x = a.x + <usize>o * a.rows * stride + (<usize>column << 2);
      const out = a.out + <usize>o * stride + (<usize>column << 2);
      sum16(x, stride, out, a);
      continue;
    }
    for (; left > 0; left -= 4, column += 4) {
      const x = a.x + <usize>o * a.rows * stride + (<usize>column << 2);
      const out = a.out + <usize>o * stride + (<usize>column << 2);
      sumUpTo4(x, stride, out, left, a);
    }
  }
}

@inline function sum16(x: usize, stride: usize, out: usize, a: SumColumnsArgs): void {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (let i = a.rows; i > 0; i--, x += stride) {
    const p = v128.load(x), q = v128.load(x, 16), r = v128.load(x, 32), s = v128.load(x, 48);
    s0 = f64x2.add(s0, low(p));
    s1 = f64x2.add(s1, high(p));
    s2 = f64x2.add(s2, low(q));
    s3 = f64x2.add(s3, high(q));
    s4 = f64x2.add(s4, low(r));
    s5 = f64x2.add(s5, high(r));
    s6 = f64x2.add(s6, low(s));
    s7 = f64x2.add(s7, high(s));
  }
  finish(out, s0, s1, 4, a);
  finish(out + 16, s2, s3, 4, a);
  finish(out + 32, s4, s5, 4, a);
  finish(out + 48, s6, s7, 4, a);
}

@inline function sumUpTo4(x: usize, stride: usize, out: usize, n: i32, a: SumColumnsArgs): void {
  let s0 = f64x2.splat(0), s1 = s0;
  for (let i = a.rows; i > 0; i--, x += stride) {
    const p = loadUpTo4(x, n);
    s0 = f64x2.add(s0, low(p));
    s1 = f64x2.add(s1, high(p));
  }
  finish(out, s0, s1, n, a);
}

function finish(out: usize, s0: v128, s1: v128, n: i32, a: SumColumnsArgs): void {
  const scale = f64x2.splat(a.scale);
  const p = f32x4.demote_f64x2_zero(f64x2.mul(s0, scale)), q = f32x4.demote_f64x2_zero(f64x2.mul(s1, scale));
  const sum = v128.shuffle<f32>(p, q, 0, 1, 4, 5);
  storeUpTo4(out, a.accumulate ? f32x4.add(loadUpTo4(out, n), sum) : sum, n);
}

@unmanaged export class MaxArgs { x: usize; values: usize; indices: usize; size: i32; width: i32 }

/** values[o, j] = maxᵢ x[o, i, j], indices its first place; NaN is the largest of all. A unit is one (o, j / 4). */
export function maxForward(a: MaxArgs, from: i32, to: i32): void {
  const width = a.width, tiles = (width + 3) / 4, stride = <usize>width << 2;
  for (let unit = from; unit < to; unit++) {
    const o = unit / tiles, column = (unit % tiles) << 2, at = <usize>(o * width + column) << 2;
    if (width == 1) maxOfRow(a.x + <usize>o * a.size * stride, a.size, a.values + at, a.indices + at);
    else {
      const x = a.x + <usize>o * a.size * stride + (<usize>column << 2);
      maxOfColumns(x, stride, a.size, width - column, a.values + at, a.indices + at);
    }
  }
}

/** First the maximum, then where it is. */
function maxOfRow(x: usize, n: i32, value: usize, index: usize): void {
  const none = splat(-Infinity);
  let m = none;
  for (let i = 0; i < n; i += 4) {
    const v = loadUpTo4(x + (<usize>i << 2), n - i);
    m = f32x4.max(m, n - i >= 4 ? v : v128.bitselect(v, none, firstLanes(n - i)));
  }
  m = f32x4.max(m, v128.shuffle<f32>(m, m, 2, 3, 0, 1));
  m = f32x4.max(m, v128.shuffle<f32>(m, m, 1, 0, 3, 2));
  f32.store(value, f32x4.extract_lane(m, 0));
  for (let i = 0; i < n; i += 4) {
    const v = loadUpTo4(x + (<usize>i << 2), n - i);
    const found = i32x4.bitmask(v128.and(v128.or(f32x4.eq(v, m), f32x4.ne(v, v)), firstLanes(n - i)));
    if (found) {
      i32.store(index, i + ctz(found));
      return;
    }
  }
}

function maxOfColumns(x: usize, stride: usize, size: i32, n: i32, value: usize, index: usize): void {
  let best = loadUpTo4(x, n), at = i32x4.splat(0);
  for (let i = 1; i < size; i++) {
    x += stride;
    const v = loadUpTo4(x, n);
    const better = v128.or(f32x4.gt(v, best), v128.and(f32x4.ne(v, v), f32x4.eq(best, best)));
    best = v128.bitselect(v, best, better);
    at = v128.bitselect(i32x4.splat(i), at, better);
  }
  storeUpTo4(value, best, n);
  storeUpTo4(index, at, n);
}

@unmanaged export class MaxBackwardArgs { dy: usize; indices: usize; dx: usize; size: i32; width: i32 }

/** dx[o, indices[o, j], j] += dy[o, j]; a unit is one (o, j) */
export function maxBackward(a: MaxBackwardArgs, from: i32, to: i32): void {
  for (let unit = from; unit < to; unit++) {
    const at = <usize>unit << 2, row = unit / a.width * a.size + i32.load(a.indices + at);
    const dx = a.dx + (<usize>(row * a.width + unit % a.width) << 2);
    f32.store(dx, f32.load(dx) + f32.load(a.dy + at));
  }
}

@unmanaged export class SquaresArgs { x: usize; partials: usize; length: i32; block: i32 }

/** partials[i] (f64) = Σ x² over the i-th block; a unit is a block */
export function squares(a: SquaresArgs, from: i32, to: i32): void {
  for (let i = from; i < to; i++) {
    const start = i * a.block;
    f64.store(a.partials + (<usize>i << 3), sumOf(a.x + (<usize>start << 2), min(a.block, a.length - start), true));
  }
}

@unmanaged export class NormArgs { partials: usize; count: i32; out: usize }

/** out = √Σ partials; one unit */
export function norm(a: NormArgs, from: i32, to: i32): void {
  let sum: f64 = 0;
  for (let i = 0; i < a.count; i++) sum += f64.load(a.partials + (<usize>i << 3));
  f32.store(a.out, f32(sqrt<f64>(sum)));
}

@unmanaged export class FirstNonFiniteArgs { x: usize; length: i32; out: usize }

/** out (i32) = the index of the first NaN or infinity, or −1; one unit */
export function firstNonFinite(a: FirstNonFiniteArgs, from: i32, to: i32): void {
  const exponent = i32x4.splat(0x7f800000);
  let found = -1;
  for (let i = 0; i < a.length; i += 4) {
    const x = loadUpTo4(a.x + (<usize>i << 2), a.length - i);
    const bad = i32x4.eq(v128.and(x, exponent), exponent);
    if (v128.any_true(bad)) {
      found = i + ctz(i32x4.bitmask(bad));
      break;
    }
  }
  i32.store(a.out, found);
}
