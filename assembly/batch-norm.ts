// Batch normalisation (Ioffe & Szegedy 2015) over the planes of a channel, x [N, C, size]. Sums are in double precision.
import { madd, splat } from "./math";
import { firstLanes, high, loadUpTo4, low, storeUpTo4 } from "./vector";

@unmanaged export class BatchNormArgs {
  x: usize; weight: usize; bias: usize; // weight and bias [C], or 0
  y: usize;
  mean: usize; variance: usize; // [C], of this batch, the variance divided by the count
  N: i32; C: i32; size: i32; eps: f32;
}

@inline function sum2(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** Σ (x − shift)^power of a channel, power 1 or 2 */
function channelSum(a: BatchNormArgs, channel: i32, shift: f32, squared: bool): f64 {
  const s = splat(shift), stride = <usize>(a.C * a.size) << 2;
  let x = a.x + (<usize>(channel * a.size) << 2), sum = f64x2.splat(0), other = sum;
  for (let n = a.N; n > 0; n--, x += stride) {
    let p = x;
    for (let left = a.size; left > 0; left -= 4, p += 16) {
      let d = v128.and(f32x4.sub(loadUpTo4(p, left), s), firstLanes(left));
      if (squared) d = f32x4.mul(d, d);
      sum = f64x2.add(sum, low(d));
      other = f64x2.add(other, high(d));
    }
  }
  return sum2(f64x2.add(sum, other));
}

/** y = weight·(x − mean)/√(variance + ε) + bias; a unit is a channel */
export function batchNormForward(a: BatchNormArgs, from: i32, to: i32): void {
  const count = f64(a.N * a.size), stride = <usize>(a.C * a.size) << 2;
  for (let c = from; c < to; c++) {
    const at = <usize>c << 2;
    const mean = f32(channelSum(a, c, 0, false) / count), variance = f32(channelSum(a, c, mean, true) / count);
    f32.store(a.mean + at, mean);
    f32.store(a.variance + at, variance);
    const scale = splat((a.weight ? f32.load(a.weight + at) : 1) / sqrt<f32>(variance + a.eps));
    const bias = splat(a.bias ? f32.load(a.bias + at) : 0), shift = splat(mean);
    let offset = <usize>(c * a.size) << 2;
    for (let n = a.N; n > 0; n--, offset += stride) {
      let x = a.x + offset, y = a.y + offset;
      for (let left = a.size; left > 0; left -= 4, x += 16, y += 16) {
        storeUpTo4(y, madd(f32x4.sub(loadUpTo4(x, left), shift), scale, bias), left);
      }
    }
  }
}

@unmanaged export class BatchNormBackwardArgs {
  x: usize; weight: usize; mean: usize; variance: usize; dy: usize;
  dMean: usize; dVariance: usize; // [C], or 0
  dx: usize; dWeight: usize; dBias: usize; // each may be 0
  N: i32; C: i32; size: i32; eps: f32;
}

/**
 * With d = x − mean, r = 1/√(variance + ε) and m numbers a channel: dBias += Σ dy, dWeight += r·Σ dy·d and
 * dx += weight·r·(dy − Σ dy/m − d·r²·Σ dy·d/m) + dMean/m + 2·d·dVariance/m. A unit is a channel.
 */
export function batchNormBackward(a: BatchNormBackwardArgs, from: i32, to: i32): void {
  const count = f32(a.N * a.size), stride = <usize>(a.C * a.size) << 2;
  for (let c = from; c < to; c++) {
    const at = <usize>c << 2, first = <usize>(c * a.size) << 2;
    const shift = v128.load32_splat(a.mean + at), r: f32 = 1 / sqrt<f32>(f32.load(a.variance + at) + a.eps);
    let s = f64x2.splat(0), t = s, u = s, v = s;
    for (let n = 0, offset = first; n < a.N; n++, offset += stride) {
      let x = a.x + offset, dy = a.dy + offset;
      for (let left = a.size; left > 0; left -= 4, x += 16, dy += 16) {
        const g = loadUpTo4(dy, left), gd = f32x4.mul(g, f32x4.sub(loadUpTo4(x, left), shift));
        s = f64x2.add(s, low(g));
        t = f64x2.add(t, high(g));
        u = f64x2.add(u, low(gd));
        v = f64x2.add(v, high(gd));
      }
    }
    const sum = f32(sum2(f64x2.add(s, t))), product = f32(sum2(f64x2.add(u, v)));
    if (a.dBias) f32.store(a.dBias + at, f32.load(a.dBias + at) + sum);
    if (a.dWeight) f32.store(a.dWeight + at, f32.load(a.dWeight + at) + r * product);
    if (!a.dx) continue;
    const factor = (a.weight ? f32.load(a.weight + at) : 1) * r;
    let even = -factor * sum, slope = -factor * r * r * product;
    if (a.dMean) even += f32.load(a.dMean + at);
    if (a.dVariance) slope += 2 * f32.load(a.dVariance + at);
    const scale = splat(factor), add = splat(even / count), along = splat(slope / count);
    for (let n = 0, offset = first; n < a.N; n++, offset += stride) {
      let x = a.x + offset, dy = a.dy + offset, dx = a.dx + offset;
      for (let left = a.size; left > 0; left -= 4, x += 16, dy += 16, dx += 16) {
        const d = f32x4.sub(loadUpTo4(x, left), shift), g = loadUpTo4(dy, left);
        storeUpTo4(dx, f32x4.add(loadUpTo4(dx, left), madd(scale, g, madd(along, d, add))), left);
      }
    }
  }
}
