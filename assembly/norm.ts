// Layer normalisation (Ba, Kiros & Hinton 2016) over the rows of a matrix. Sums are in double precision.
import { madd, splat } from "./math";
import { high, loadUpTo4, low, storeUpTo4 } from "./vector";

@inline function sum2(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

@unmanaged export class LayerNormArgs {
  x: usize; weight: usize; bias: usize; y: usize; statistics: usize; width: i32; eps: f32
}

/**
 * y = weight·(x − mean)/√(variance + ε) + bias, weight and bias [width] or absent (0); statistics [rows, 2] keep the mean
 * and 1/√(variance + ε). A unit is a row.
 */
export function layerNormForward(a: LayerNormArgs, from: i32, to: i32): void {
  const width = a.width;
  for (let row = from; row < to; row++) {
    const x = a.x + (<usize>row * width << 2), y = a.y + (<usize>row * width << 2);
    let s = f64x2.splat(0), t = s, p = x;
    for (let n = width; n > 0; n -= 4, p += 16) {
      const v = loadUpTo4(p, n);
      s = f64x2.add(s, low(v));
      t = f64x2.add(t, high(v));
    }
    const mean = sum2(f64x2.add(s, t)) / width;
    let variance: f64 = 0;
    s = t = f64x2.splat(0);
    p = x;
    for (let n = width; n >= 4; n -= 4, p += 16) {
      const v = v128.load(p);
      const d = f64x2.sub(low(v), f64x2.splat(mean)), e = f64x2.sub(high(v), f64x2.splat(mean));
      s = f64x2.add(s, f64x2.mul(d, d));
      t = f64x2.add(t, f64x2.mul(e, e));
    }
    variance = sum2(f64x2.add(s, t));
    for (let n = width & 3; n > 0; n--, p += 4) {
      const d = f64(f32.load(p)) - mean;
      variance += d * d;
    }
    const scale = f32(1 / sqrt<f64>(variance / width + a.eps));
    f32.store(a.statistics + (<usize>row << 3), f32(mean));
    f32.store(a.statistics + (<usize>row << 3), scale, 4);
    const shift = splat(f32(mean)), factor = splat(scale);
    for (let n = width, at: usize = 0; n > 0; n -= 4, at += 16) {
      let v = f32x4.mul(f32x4.sub(loadUpTo4(x + at, n), shift), factor);
      if (a.weight) v = f32x4.mul(v, loadUpTo4(a.weight + at, n));
      if (a.bias) v = f32x4.add(v, loadUpTo4(a.bias + at, n));
      storeUpTo4(y + at, v, n);
    }
  }
}

@unmanaged export class LayerNormBackwardArgs {
  x: usize; weight: usize; statistics: usize; dy: usize; dx: usize; width: i32
}

/** dx += (g − mean g − n·mean(g·n))/√(variance + ε), with g = dy·weight and n the normalised row. A unit is a row. */
export function layerNormBackward(a: LayerNormBackwardArgs, from: i32, to: i32): void {
  const width = a.width;
  for (let row = from; row < to; row++) {
    const x = a.x + (<usize>row * width << 2), dy = a.dy + (<usize>row * width << 2);
    const dx = a.dx + (<usize>row * width << 2), statistics = a.statistics + (<usize>row << 3);
    const mean = v128.load32_splat(statistics), scale = v128.load32_splat(statistics, 4);
    let s = f64x2.splat(0), t = s;
    for (let n = width, at: usize = 0; n > 0; n -= 4, at += 16) {
      const g = gradient(dy + at, a.weight ? a.weight + at : 0, n);
      const gn = f32x4.mul(g, f32x4.mul(f32x4.sub(loadUpTo4(x + at, n), mean), scale));
      s = f64x2.add(s, f64x2.add(low(g), high(g)));
      t = f64x2.add(t, f64x2.add(low(gn), high(gn)));
    }
    const meanG = splat(f32(sum2(s) / width)), meanGN = splat(f32(sum2(t) / width));
    for (let n = width, at: usize = 0; n > 0; n -= 4, at += 16) {
      const g = gradient(dy + at, a.weight ? a.weight + at : 0, n);
      const normal = f32x4.mul(f32x4.sub(loadUpTo4(x + at, n), mean), scale);
      const d = f32x4.sub(f32x4.sub(g, meanG), f32x4.mul(normal, meanGN));
      storeUpTo4(dx + at, madd(scale, d, loadUpTo4(dx + at, n)), n);
    }
  }
}

@inline function gradient(dy: usize, weight: usize, n: i32): v128 {
  const g = loadUpTo4(dy, n);
  return weight ? f32x4.mul(g, loadUpTo4(weight, n)) : g;
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
