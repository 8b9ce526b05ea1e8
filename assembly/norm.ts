// Layer normalisation (Ba, Kiros & Hinton 2016) over the rows of a matrix, each with eight floats of scratch per sum: V8's
// revectoriser starts from stores, so the loops' pairs of sums are stored.
import { madd, nmadd, splat, sum4 } from "./math";
import { sumOf } from "./reduce";
import { firstLanes, high, loadUpTo4, low, storeUpTo4 } from "./vector";

/** The mean of (x − mean)² */
function varianceOf(x: usize, width: i32, mean: f32, scratch: usize): f32 {
  const shift = splat(mean);
  let s = splat(0), t = s, n = width;
  for (; n >= 8; n -= 8, x += 32) {
    const d = f32x4.sub(v128.load(x), shift), e = f32x4.sub(v128.load(x, 16), shift);
    s = madd(d, d, s);
    t = madd(e, e, t);
  }
  v128.store(scratch, s);
  v128.store(scratch, t, 16);
  for (; n > 0; n -= 4, x += 16) {
    const d = v128.and(f32x4.sub(loadUpTo4(x, n), shift), firstLanes(n));
    s = madd(d, d, s);
  }
  return sum4(f32x4.add(s, t)) / f32(width);
}

@unmanaged export class LayerNormArgs {
  x: usize; weight: usize; bias: usize; y: usize; statistics: usize; scratch: usize; width: i32; eps: f32
}

/**
 * y = weight·(x − mean)/√(variance + ε) + bias, weight and bias [width]; statistics [rows, 2] keep the mean and
 * 1/√(variance + ε); scratch [rows, 8]. A unit is a row.
 */
export function layerNormForward(a: LayerNormArgs, from: i32, to: i32): void {
  const width = a.width;
  for (let row = from; row < to; row++) {
    const offset = <usize>row * width << 2, statistics = a.statistics + (<usize>row << 3);
    const mean = f32(sumOf(a.x + offset, width, false) / width);
    const variance = varianceOf(a.x + offset, width, mean, a.scratch + (<usize>row << 5));
    // Of a vector, for V8's scalar root is slow after 256-bit instructions.
    const m = splat(mean), r = f32x4.div(splat(1), f32x4.sqrt(splat(variance + a.eps)));
    f32.store(statistics, mean);
    f32.store(statistics, f32x4.extract_lane(r, 0), 4);
    let x = a.x + offset, y = a.y + offset, w = a.weight, b = a.bias, n = width;
    for (; n >= 8; n -= 8, x += 32, y += 32, w += 32, b += 32) {
      const x0 = v128.load(x), x1 = v128.load(x, 16), w0 = v128.load(w), w1 = v128.load(w, 16);
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const y0 = madd(f32x4.mul(f32x4.sub(x0, m), r), w0, b0), y1 = madd(f32x4.mul(f32x4.sub(x1, m), r), w1, b1);
      v128.store(y, y0);
      v128.store(y, y1, 16);
    }
    for (; n > 0; n -= 4, x += 16, y += 16, w += 16, b += 16) {
      const normal = f32x4.mul(f32x4.sub(loadUpTo4(x, n), m), r);
      storeUpTo4(y, madd(normal, loadUpTo4(w, n), loadUpTo4(b, n)), n);
    }
  }
}

@unmanaged export class LayerNormBackwardArgs {
  x: usize; weight: usize; statistics: usize; scratch: usize; dy: usize; dx: usize; width: i32
}

/**
 * dx += (g − mean g − n·mean(g·n))/√(variance + ε), with g = dy·weight and n the normalised row; scratch [rows, 16]. A unit
 * is a row.
 */
export function layerNormBackward(a: LayerNormBackwardArgs, from: i32, to: i32): void {
  for (let row = from; row < to; row++) {
    const at = <usize>row * a.width << 2, scratch = a.scratch + (<usize>row << 6);
    const mean = v128.load32_splat(a.statistics + (<usize>row << 3));
    const scale = v128.load32_splat(a.statistics + (<usize>row << 3), 4);
    let x = a.x + at, dy = a.dy + at, w = a.weight, n = a.width;
    let s = splat(0), t = s, u = s, v = s;
    for (; n >= 8; n -= 8, x += 32, dy += 32, w += 32) {
      const g0 = f32x4.mul(v128.load(dy), v128.load(w)), g1 = f32x4.mul(v128.load(dy, 16), v128.load(w, 16));
      const d0 = f32x4.sub(v128.load(x), mean), d1 = f32x4.sub(v128.load(x, 16), mean);
      s = f32x4.add(s, g0);
      t = f32x4.add(t, g1);
      u = madd(g0, d0, u);
      v = madd(g1, d1, v);
    }
    v128.store(scratch, s);
    v128.store(scratch, t, 16);
    v128.store(scratch, u, 32);
    v128.store(scratch, v, 48);
    for (; n > 0; n -= 4, x += 16, dy += 16, w += 16) {
      const g = f32x4.mul(loadUpTo4(dy, n), loadUpTo4(w, n));
      s = f32x4.add(s, g);
      u = madd(g, f32x4.sub(loadUpTo4(x, n), mean), u);
    }
    // dx += r·(g − mean g − d·r²·mean(g·d)), with d = x − mean and r = 1/√(variance + ε)
    const r = f32x4.extract_lane(scale, 0), width = f32(a.width);
    const even = splat(sum4(f32x4.add(s, t)) / width), slope = splat(r * r * sum4(f32x4.add(u, v)) / width);
    let dx = a.dx + at;
    x = a.x + at;
    dy = a.dy + at;
    w = a.weight;
    for (n = a.width; n >= 8; n -= 8, x += 32, dy += 32, w += 32, dx += 32) {
      const g0 = f32x4.mul(v128.load(dy), v128.load(w)), g1 = f32x4.mul(v128.load(dy, 16), v128.load(w, 16));
      const d0 = f32x4.sub(v128.load(x), mean), d1 = f32x4.sub(v128.load(x, 16), mean);
      const e0 = nmadd(slope, d0, f32x4.sub(g0, even)), e1 = nmadd(slope, d1, f32x4.sub(g1, even));
      const sum0 = madd(scale, e0, v128.load(dx)), sum1 = madd(scale, e1, v128.load(dx, 16));
      v128.store(dx, sum0);
      v128.store(dx, sum1, 16);
    }
    for (; n > 0; n -= 4, x += 16, dy += 16, w += 16, dx += 16) {
      const g = f32x4.mul(loadUpTo4(dy, n), loadUpTo4(w, n)), d = f32x4.sub(loadUpTo4(x, n), mean);
      const e = nmadd(slope, d, f32x4.sub(g, even));
      storeUpTo4(dx, madd(scale, e, loadUpTo4(dx, n)), n);
    }
  }
}

@unmanaged export class LayerNormWeightArgs {
  x: usize; statistics: usize; dy: usize; dWeight: usize; rows: i32; width: i32
}

/** dWeight += Σ over rows of dy·(the normalised row), in their order; a unit is 16 columns */
export function layerNormWeight(a: LayerNormWeightArgs, from: i32, to: i32): void {
  for (let unit = from; unit < to; unit++) {
    let column = unit << 4, n = min(a.width - column, 16);
    if (n == 16) weightOf16(a, <usize>column << 2);
    else for (; n > 0; n -= 4, column += 4) weightOf4(a, <usize>column << 2, n);
  }
}

function weightOf16(a: LayerNormWeightArgs, at: usize): void {
  const stride = <usize>a.width << 2, out = a.dWeight + at;
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  let x = a.x + at, dy = a.dy + at, statistics = a.statistics;
  for (let row = a.rows; row > 0; row--, x += stride, dy += stride, statistics += 8) {
    const mean = v128.load32_splat(statistics), scale = v128.load32_splat(statistics, 4);
    const p = term(x, dy, mean, scale, 4), q = term(x + 16, dy + 16, mean, scale, 4);
    const r = term(x + 32, dy + 32, mean, scale, 4), t = term(x + 48, dy + 48, mean, scale, 4);
    s0 = f64x2.add(s0, low(p));
    s1 = f64x2.add(s1, high(p));
    s2 = f64x2.add(s2, low(q));
    s3 = f64x2.add(s3, high(q));
    s4 = f64x2.add(s4, low(r));
    s5 = f64x2.add(s5, high(r));
    s6 = f64x2.add(s6, low(t));
    s7 = f64x2.add(s7, high(t));
  }
  addSums(out, s0, s1, 4);
  addSums(out + 16, s2, s3, 4);
  addSums(out + 32, s4, s5, 4);
  addSums(out + 48, s6, s7, 4);
}

function weightOf4(a: LayerNormWeightArgs, at: usize, n: i32): void {
  const stride = <usize>a.width << 2;
  let s = f64x2.splat(0), t = s, x = a.x + at, dy = a.dy + at, statistics = a.statistics;
  for (let row = a.rows; row > 0; row--, x += stride, dy += stride, statistics += 8) {
    const g = term(x, dy, v128.load32_splat(statistics), v128.load32_splat(statistics, 4), n);
    s = f64x2.add(s, low(g));
    t = f64x2.add(t, high(g));
  }
  addSums(a.dWeight + at, s, t, n);
}

/** dy·(x − mean)·scale */
@inline function term(x: usize, dy: usize, mean: v128, scale: v128, n: i32): v128 {
  return f32x4.mul(loadUpTo4(dy, n), f32x4.mul(f32x4.sub(loadUpTo4(x, n), mean), scale));
}

@inline function addSums(out: usize, s: v128, t: v128, n: i32): void {
  const sum = v128.shuffle<f32>(f32x4.demote_f64x2_zero(s), f32x4.demote_f64x2_zero(t), 0, 1, 4, 5);
  storeUpTo4(out, f32x4.add(loadUpTo4(out, n), sum), n);
}
