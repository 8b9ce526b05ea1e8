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

/** dWeight += Σ over rows of dy·(the normalised row), in their order; a unit is four columns */
export function layerNormWeight(a: LayerNormWeightArgs, from: i32, to: i32): void {
  const stride = <usize>a.width << 2;
  for (let unit = from; unit < to; unit++) {
    const n = a.width - (unit << 2), at = <usize>unit << 4;
    let s = f64x2.splat(0), t = s, x = a.x + at, dy = a.dy + at, statistics = a.statistics;
    for (let row = 0; row < a.rows; row++, x += stride, dy += stride, statistics += 8) {
      const mean = v128.load32_splat(statistics), scale = v128.load32_splat(statistics, 4);
      const g = f32x4.mul(loadUpTo4(dy, n), f32x4.mul(f32x4.sub(loadUpTo4(x, n), mean), scale));
      s = f64x2.add(s, low(g));
      t = f64x2.add(t, high(g));
    }
    const sum = v128.shuffle<f32>(f32x4.demote_f64x2_zero(s), f32x4.demote_f64x2_zero(t), 0, 1, 4, 5);
    storeUpTo4(a.dWeight + at, f32x4.add(loadUpTo4(a.dWeight + at, n), sum), n);
  }
}
