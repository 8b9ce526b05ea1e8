// Softmax and what is made of it, over the rows of a matrix; a unit is a row.
import { ln, madd, splat, sum4 } from "./math";
import { BLOCK, decay, scanRow, softmaxRow, sumOfRow, top, total } from "./softmax-rows";
import { firstLanes, loadUpTo4, storeUpTo4 } from "./vector";

@unmanaged export class SoftmaxArgs { x: usize; y: usize; scratch: usize; width: i32 }

/** y = e^(x − max x) / Σ e^(x − max x); scratch [rows, 8] */
export function softmaxForward(a: SoftmaxArgs, from: i32, to: i32): void {
  for (let row = from; row < to; row++) {
    const at = <usize>row * a.width << 2;
    softmaxRow(a.x + at, a.y + at, a.width, a.scratch + (<usize>row << 5));
  }
}

@unmanaged export class SoftmaxBackwardArgs { y: usize; dy: usize; dx: usize; width: i32 }

/** dx += y·(dy − Σ dy·y) */
export function softmaxBackward(a: SoftmaxBackwardArgs, from: i32, to: i32): void {
  for (let row = from; row < to; row++) {
    const at = <usize>row * a.width << 2;
    let y = a.y + at, dy = a.dy + at, dx = a.dx + at, n = a.width;
    const shift = splat(f32(sumOfRow(dy, y, n)));
    for (; n >= 8; n -= 8, y += 32, dy += 32, dx += 32) {
      const y0 = v128.load(y), y1 = v128.load(y, 16), dx0 = v128.load(dx), dx1 = v128.load(dx, 16);
      const g0 = f32x4.sub(v128.load(dy), shift), g1 = f32x4.sub(v128.load(dy, 16), shift);
      const sum0 = madd(y0, g0, dx0), sum1 = madd(y1, g1, dx1);
      v128.store(dx, sum0);
      v128.store(dx, sum1, 16);
    }
    for (; n > 0; n -= 4, y += 16, dy += 16, dx += 16) {
      const g = f32x4.sub(loadUpTo4(dy, n), shift);
      storeUpTo4(dx, madd(loadUpTo4(y, n), g, loadUpTo4(dx, n)), n);
    }
  }
}

/** y = x − ln Σ eˣ; scratch [rows, 8] */
export function logSoftmaxForward(a: SoftmaxArgs, from: i32, to: i32): void {
  for (let row = from; row < to; row++) {
    let x = a.x + (<usize>row * a.width << 2), y = a.y + (<usize>row * a.width << 2);
    scanRow(x, a.width, a.scratch + (<usize>row << 5));
    const shift = splat(top), log = splat(f32(ln(total)));
    for (let n = a.width; n > 0; n -= 4, x += 16, y += 16) {
      storeUpTo4(y, f32x4.sub(f32x4.sub(loadUpTo4(x, n), shift), log), n);
    }
  }
}

/** dx += dy − eʸ·Σ dy */
export function logSoftmaxBackward(a: SoftmaxBackwardArgs, from: i32, to: i32): void {
  for (let row = from; row < to; row++) {
    const at = <usize>row * a.width << 2;
    let y = a.y + at, dy = a.dy + at, dx = a.dx + at, n = a.width;
    const scale = splat(f32(-sumOfRow(dy, 0, n)));
    for (; n >= 8; n -= 8, y += 32, dy += 32, dx += 32) {
      const y0 = v128.load(y), y1 = v128.load(y, 16), dx0 = v128.load(dx), dx1 = v128.load(dx, 16);
      const g0 = madd(decay(y0), scale, v128.load(dy)), g1 = madd(decay(y1), scale, v128.load(dy, 16));
      const sum0 = f32x4.add(dx0, g0), sum1 = f32x4.add(dx1, g1);
      v128.store(dx, sum0);
      v128.store(dx, sum1, 16);
    }
    for (; n > 0; n -= 4, y += 16, dy += 16, dx += 16) {
      const g = madd(decay(loadUpTo4(y, n)), scale, loadUpTo4(dy, n));
      storeUpTo4(dx, f32x4.add(loadUpTo4(dx, n), g), n);
    }
  }
}

@unmanaged export class CrossEntropyArgs {
  logits: usize; targets: usize; losses: usize; statistics: usize; classes: i32; ignored: i32; smoothing: f32
}

/**
 * losses[r] = ln Σ eˣ − (1 − ε)·x[target] − ε·mean x, 0 where the target is ignored; statistics [rows, 8] keep max x and
 * 1/Σ e^(x − max x) for backward, and serve as scratch before.
 */
export function crossEntropyForward(a: CrossEntropyArgs, from: i32, to: i32): void {
  const classes = a.classes, smoothing = f64(a.smoothing);
  for (let row = from; row < to; row++) {
    const target = i32.load(a.targets + (<usize>row << 2));
    let loss: f64 = 0;
    if (target != a.ignored) {
      const x = a.logits + (<usize>row * classes << 2), statistics = a.statistics + (<usize>row << 5);
      scanRow(x, classes, statistics);
      const hit = f64(f32.load(x + (<usize>target << 2)) - top);
      loss = ln(total) - (1 - smoothing) * hit;
      if (smoothing) loss -= smoothing * meanBelow(x, classes);
      f32.store(statistics, top);
      f32.store(statistics, f32(1 / total), 4);
    }
    f32.store(a.losses + (<usize>row << 2), f32(loss));
  }
}

/** The mean of x − top. */
function meanBelow(x: usize, n: i32): f64 {
  const shift = splat(top);
  let sum: f64 = 0;
  for (let left = n; left > 0; ) {
    let s = splat(0);
    for (let i = min(left, BLOCK); i > 0; i -= 4, left -= 4, x += 16) {
      const v = f32x4.sub(loadUpTo4(x, left), shift);
      s = f32x4.add(s, left >= 4 ? v : v128.and(v, firstLanes(left)));
    }
    sum += sum4(s);
  }
  return sum / n;
}

@unmanaged export class TotalLossArgs {
  losses: usize; targets: usize; rows: i32; ignored: i32; mean: i32; loss: usize; factor: usize
}

/** loss = factor·Σ losses, factor = 1, or for the mean 1/(rows not ignored), 0 if there are none; one unit */
export function totalLoss(a: TotalLossArgs, from: i32, to: i32): void {
  let sum: f64 = 0, count = 0;
  for (let row = 0; row < a.rows; row++) {
    sum += f32.load(a.losses + (<usize>row << 2));
    count += i32(i32.load(a.targets + (<usize>row << 2)) != a.ignored);
  }
  const factor: f64 = !a.mean ? 1 : count ? 1 / f64(count) : 0;
  f32.store(a.factor, f32(factor));
  f32.store(a.loss, f32(sum * factor));
}

@unmanaged export class CrossEntropyBackwardArgs {
  logits: usize; targets: usize; statistics: usize; dLoss: usize; stride: i32; factor: usize; dx: usize; classes: i32;
  ignored: i32; smoothing: f32
}

/** dx += g·(softmax x − ε/V), and −g·(1 − ε) at the target; g = dLoss[r·stride]·factor */
export function crossEntropyBackward(a: CrossEntropyBackwardArgs, from: i32, to: i32): void {
  const classes = a.classes, smoothing = a.smoothing;
  for (let row = from; row < to; row++) {
    const target = i32.load(a.targets + (<usize>row << 2));
    if (target == a.ignored) continue;
    const g = f32.load(a.dLoss + (<usize>(row * a.stride) << 2)) * (a.factor ? f32.load(a.factor) : 1);
    let x = a.logits + (<usize>row * classes << 2), dx = a.dx + (<usize>row * classes << 2), n = classes;
    const hit = dx + (<usize>target << 2);
    f32.store(hit, f32.load(hit) - g * (1 - smoothing));
    const statistics = a.statistics + (<usize>row << 5);
    const shift = v128.load32_splat(statistics), scale = splat(g * f32.load(statistics, 4));
    const even = splat(g * smoothing / f32(classes));
    for (; n >= 8; n -= 8, x += 32, dx += 32) {
      const x0 = v128.load(x), x1 = v128.load(x, 16), dx0 = v128.load(dx), dx1 = v128.load(dx, 16);
      const g0 = madd(decay(f32x4.sub(x0, shift)), scale, f32x4.sub(dx0, even));
      const g1 = madd(decay(f32x4.sub(x1, shift)), scale, f32x4.sub(dx1, even));
      v128.store(dx, g0);
      v128.store(dx, g1, 16);
    }
    for (; n > 0; n -= 4, x += 16, dx += 16) {
      const p = decay(f32x4.sub(loadUpTo4(x, n), shift));
      storeUpTo4(dx, madd(p, scale, f32x4.sub(loadUpTo4(dx, n), even)), n);
    }
  }
}
