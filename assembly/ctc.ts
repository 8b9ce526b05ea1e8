// Connectionist temporal classification (Graves et al. 2006): ln P of a labelling, summed over all its alignments, and
// the gradient with respect to the logits. A unit is a sequence. Logarithms of probabilities are kept in double
// precision: over hundreds of frames they reach −1000s, where float32 steps by 1e-4.
//
// The paper's states are a blank, a label, a blank, …; here the blanks b[0…L] and the labels l[0…L−1] stand in two arrays
// of W ≥ L + 1 numbers, so that neighbours in memory do the same:
//
//     u[i]  = b[i] ⊕ l[i−1]                                  ⊕ adds probabilities: ln(eᵃ + eᵇ)
//     b′[i] = u[i] + ln y(blank)
//     l′[i] = (l[i] ⊕ (u[i], or b[i] where label i repeats label i − 1)) + ln y(label i)
import { ln, madd, splat } from "./math";
import { decay, scanRow, top, total } from "./softmax-rows";
import { loadUpTo4, storeUpTo4 } from "./vector";

/** The logarithm of nothing: finite, so that differences of it are numbers. */
const NONE: f64 = -1e30;

@inline function both(x: f64): v128 {
  return f64x2.splat(x);
}

/** a·b + c */
@inline function madd2(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/** e^x for x ≤ 0, as e^−40 below that: x = n·ln 2 + r, the series of e^r to r⁹, n into the exponent; error 1e-11. */
@inline function power(x: v128): v128 {
  const magic = both(6755399441056767); // 1.5·2⁵² + 1023
  x = f64x2.pmax(x, both(-40));
  const shifted = madd2(x, both(1.4426950408889634), magic);
  const n = f64x2.sub(shifted, magic);
  const r = madd2(n, both(-0.6931471805599453), x);
  let p = both(1.0 / 362880);
  p = madd2(p, r, both(1.0 / 40320));
  p = madd2(p, r, both(1.0 / 5040));
  p = madd2(p, r, both(1.0 / 720));
  p = madd2(p, r, both(1.0 / 120));
  p = madd2(p, r, both(1.0 / 24));
  p = madd2(p, r, both(1.0 / 6));
  p = madd2(p, r, both(0.5));
  p = madd2(p, r, both(1));
  p = madd2(p, r, both(1));
  return f64x2.mul(p, i64x2.shl(shifted, 52));
}

/** ln(eᵃ + eᵇ) = max + ln(1 + e), e = e^(min − max); the logarithm is the series of 2·atanh(e/(2 + e)); error 1e-10. */
@inline function logAdd(a: v128, b: v128): v128 {
  const high = f64x2.pmax(a, b);
  const e = power(f64x2.sub(f64x2.pmin(a, b), high));
  const t = f64x2.div(e, f64x2.add(e, both(2)));
  const z = f64x2.mul(t, t);
  let p = both(2.0 / 17);
  p = madd2(p, z, both(2.0 / 15));
  p = madd2(p, z, both(2.0 / 13));
  p = madd2(p, z, both(2.0 / 11));
  p = madd2(p, z, both(2.0 / 9));
  p = madd2(p, z, both(2.0 / 7));
  p = madd2(p, z, both(2.0 / 5));
  p = madd2(p, z, both(2.0 / 3));
  p = madd2(p, z, both(2));
  return madd2(p, t, high);
}

/** W for a target of L labels: room for L + 1 blanks, in fours. */
@inline function widthOf(labels: i32): i32 {
  return (labels + 4) & ~3;
}

function fill(p: usize, count: i32, x: f64): void {
  for (let i = 0; i < count; i++, p += 8) f64.store(p, x);
}

/** e[i] = ln y(label i) */
function emissions(x: usize, shift: f64, labels: usize, count: i32, e: usize): void {
  for (let i = 0; i < count; i++, labels += 4, e += 8) {
    f64.store(e, logProbability(x, i32.load(labels), shift));
  }
}

@inline function logProbability(x: usize, label: i32, shift: f64): f64 {
  return max(NONE, f64(f32.load(x + (<usize>label << 2))) - shift);
}

/** Where label i is label i − 1: all ones; they may not merge. */
function markRepeats(labels: usize, count: i32, width: i32, out: usize): void {
  for (let i = 0; i <= width; i++) {
    const repeats = i > 0 && i < count && i32.load(labels + (i << 2)) == i32.load(labels + (i << 2) - 4);
    i64.store(out + (i << 3), repeats ? -1 : 0);
  }
}

@unmanaged export class CtcForwardArgs {
  logits: usize; targets: usize; inputLengths: usize; targetLengths: usize; N: i32; V: i32; L: i32; blank: i32;
  zeroInfinity: i32; losses: usize; paths: usize; statistics: usize; alphas: usize; rows: i32; scratch: usize;
  scratchSize: i32
}

/**
 * losses[n] = −ln P(targets | logits), of logits [T, N, V], targets [N, L]. Kept for backward: paths [N] ln P in double
 * precision; alphas [N, rows ≥ T + 1, 2W + 2] doubles, where a row is b, two of NONE, l, row 0 being before the first
 * frame; statistics [T, N, 8]: as a double max x + ln Σ e^(x − max), then max x and 1/Σ. scratch [N, scratchSize] floats.
 */
export function ctcForward(a: CtcForwardArgs, from: i32, to: i32): void {
  for (let n = from; n < to; n++) {
    const frames = i32.load(a.inputLengths + (<usize>n << 2)), count = i32.load(a.targetLengths + (<usize>n << 2));
    const labels = a.targets + (<usize>(n * a.L) << 2), width = widthOf(count);
    const rowBytes = <usize>(2 * widthOf(a.L) + 2) << 3, toLabels = <usize>(width + 2) << 3;
    const e = a.scratch + (<usize>n * a.scratchSize << 2), repeats = e + (<usize>width << 3);
    let row = a.alphas + <usize>n * a.rows * rowBytes;
    let broken = false;
    fill(e, width, NONE);
    markRepeats(labels, count, width, repeats);
    fill(row, 2 * width + 2, NONE);
    f64.store(row, 0);
    for (let t = 0; t < frames; t++, row += rowBytes) {
      const at = <usize>t * a.N + n, x = a.logits + (at * a.V << 2), statistics = a.statistics + (at << 5);
      scanRow(x, a.V, statistics);
      if (!(total > 0 && total < Infinity)) broken = true;
      const shift = f64(top) + ln(total);
      f64.store(statistics, shift);
      f32.store(statistics, top, 8);
      f32.store(statistics, f32(1 / total), 12);
      emissions(x, shift, labels, count, e);
      advance(row, row + rowBytes, width, toLabels, logProbability(x, a.blank, shift), e, repeats);
    }
    const last = row + toLabels + (<usize>count << 3) - 8;
    let paths = f64x2.extract_lane(logAdd(v128.load64_splat(row + (<usize>count << 3)), v128.load64_splat(last)), 0);
    paths = broken ? NaN : paths < NONE / 2 ? -Infinity : paths;
    f64.store(a.paths + (<usize>n << 3), paths);
    f32.store(a.losses + (<usize>n << 2), a.zeroInfinity && paths == -Infinity ? 0 : f32(0 - paths));
  }
}

/** One frame: the next row from this one. */
function advance(row: usize, next: usize, width: i32, toLabels: usize, blank: f64, e: usize, repeats: usize): void {
  const y = both(blank);
  v128.store(next + toLabels - 16, both(NONE));
  for (let i = 0; i < width; i += 4, row += 32, next += 32, e += 32, repeats += 32) {
    const b0 = v128.load(row), b1 = v128.load(row, 16);
    const before0 = v128.load(row + toLabels - 8), before1 = v128.load(row + toLabels - 8, 16);
    const l0 = v128.load(row + toLabels), l1 = v128.load(row + toLabels, 16);
    const e0 = v128.load(e), e1 = v128.load(e, 16), r0 = v128.load(repeats), r1 = v128.load(repeats, 16);
    const u0 = logAdd(b0, before0), u1 = logAdd(b1, before1);
    const v0 = logAdd(l0, v128.bitselect(b0, u0, r0)), v1 = logAdd(l1, v128.bitselect(b1, u1, r1));
    const nextB0 = f64x2.add(u0, y), nextB1 = f64x2.add(u1, y);
    const nextL0 = f64x2.add(v0, e0), nextL1 = f64x2.add(v1, e1);
    v128.store(next, nextB0);
    v128.store(next, nextB1, 16);
    v128.store(next + toLabels, nextL0);
    v128.store(next + toLabels, nextL1, 16);
  }
}

@unmanaged export class CtcTotalArgs {
  losses: usize; targetLengths: usize; N: i32; mean: i32; loss: usize; factors: usize
}

/** loss = Σ factors[n]·losses[n], where a factor is 1, or for the mean 1/(N·max(labels, 1)); one unit */
export function ctcTotal(a: CtcTotalArgs, from: i32, to: i32): void {
  let sum: f64 = 0;
  for (let n = 0; n < a.N; n++) {
    const labels = max(i32.load(a.targetLengths + (<usize>n << 2)), 1);
    const factor: f64 = a.mean ? 1 / (f64(a.N) * f64(labels)) : 1;
    f32.store(a.factors + (<usize>n << 2), f32(factor));
    sum += factor * f32.load(a.losses + (<usize>n << 2));
  }
  f32.store(a.loss, f32(sum));
}

@unmanaged export class CtcBackwardArgs {
  logits: usize; targets: usize; inputLengths: usize; targetLengths: usize; N: i32; V: i32; L: i32; blank: i32;
  zeroInfinity: i32; paths: usize; statistics: usize; alphas: usize; rows: i32; scratch: usize; scratchSize: i32;
  dLoss: usize; stride: i32; factors: usize; dx: usize
}

/**
 * dx[t, n, v] += g·(softmax x − Σ of P(state at t | targets) over the states of label v); g = dLoss[n·stride]·factors[n].
 * β, the logarithm of what follows a frame, goes from the last to the first as α went the other way.
 */
export function ctcBackward(a: CtcBackwardArgs, from: i32, to: i32): void {
  for (let n = from; n < to; n++) {
    const frames = i32.load(a.inputLengths + (<usize>n << 2)), count = i32.load(a.targetLengths + (<usize>n << 2));
    const paths = f64.load(a.paths + (<usize>n << 3));
    let g = f32.load(a.dLoss + (<usize>(n * a.stride) << 2)) * (a.factors ? f32.load(a.factors + (<usize>n << 2)) : 1);
    if (!(paths > -Infinity)) {
      if (a.zeroInfinity && paths == -Infinity) continue;
      g = NaN;
    }
    const labels = a.targets + (<usize>(n * a.L) << 2), width = widthOf(count), bytes = <usize>width << 3;
    const rowBytes = <usize>(2 * widthOf(a.L) + 2) << 3;
    const e = a.scratch + (<usize>n * a.scratchSize << 2), repeats = e + bytes, betas = repeats + bytes + 16;
    const ahead = betas + 2 * bytes + 16, occupancy = ahead + 2 * bytes + 16, weights = occupancy + bytes;
    fill(betas, 2 * width + 2, NONE); // b, two of NONE, l: as in a row of alphas; so is what lies ahead
    f64.store(betas + (<usize>count << 3), 0);
    if (count) f64.store(betas + bytes + 8 + (<usize>count << 3), 0);
    v128.store(ahead + bytes, both(NONE));
    for (let t = frames - 1; t >= 0; t--) {
      const at = <usize>t * a.N + n, x = a.logits + (at * a.V << 2), statistics = a.statistics + (at << 5);
      const shift = f64.load(statistics), alphas = a.alphas + (<usize>n * a.rows + t + 1) * rowBytes;
      emissions(x, shift, labels, count, e);
      const blank = logProbability(x, a.blank, shift);
      const blanks = occupy(alphas, betas, ahead, bytes, blank, e, paths, occupancy);
      for (let v = 0; v < a.V; v++) f32.store(weights + (<usize>v << 2), 0);
      f32.store(weights + (<usize>a.blank << 2), blanks);
      for (let i = 0; i < count; i++) {
        const weight = weights + (<usize>i32.load(labels + (<usize>i << 2)) << 2);
        f32.store(weight, f32.load(weight) + f32(f64.load(occupancy + (<usize>i << 3))));
      }
      addGradient(x, statistics, weights, a.V, g, a.dx + (at * a.V << 2));
      retreat(ahead, betas, bytes, repeats);
    }
  }
}

/** The probability of each label's state, and that of all blanks; ahead = β + ln y, what the frame before looks at. */
function occupy(
  alphas: usize, betas: usize, ahead: usize, bytes: usize, blank: f64, e: usize, paths: f64, out: usize,
): f32 {
  const y = both(blank), p = both(paths), toLabels = bytes + 16;
  let sum0 = both(0), sum1 = sum0;
  for (let i: usize = 0; i < bytes; i += 32) {
    const alpha = alphas + i, beta = betas + i;
    const a0 = v128.load(alpha), a1 = v128.load(alpha, 16), b0 = v128.load(beta), b1 = v128.load(beta, 16);
    const c0 = v128.load(alpha + toLabels), c1 = v128.load(alpha + toLabels, 16);
    const d0 = v128.load(beta + toLabels), d1 = v128.load(beta + toLabels, 16);
    const e0 = v128.load(e + i), e1 = v128.load(e + i, 16);
    sum0 = f64x2.add(sum0, power(f64x2.sub(f64x2.add(a0, b0), p)));
    sum1 = f64x2.add(sum1, power(f64x2.sub(f64x2.add(a1, b1), p)));
    const o0 = power(f64x2.sub(f64x2.add(c0, d0), p)), o1 = power(f64x2.sub(f64x2.add(c1, d1), p));
    const y0 = f64x2.add(b0, y), y1 = f64x2.add(b1, y), f0 = f64x2.add(d0, e0), f1 = f64x2.add(d1, e1);
    v128.store(out + i, o0);
    v128.store(out + i, o1, 16);
    v128.store(ahead + i, y0);
    v128.store(ahead + i, y1, 16);
    v128.store(ahead + i + toLabels, f0);
    v128.store(ahead + i + toLabels, f1, 16);
  }
  const sum = f64x2.add(sum0, sum1);
  return f32(f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
}

/** β one frame earlier: b[i] = ahead b[i] ⊕ l[i]; l[i] = ahead l[i] ⊕ (the new b[i + 1], or ahead b[i + 1] at a repeat) */
function retreat(ahead: usize, betas: usize, bytes: usize, repeats: usize): void {
  const toLabels = bytes + 16;
  for (let i: usize = 0; i < bytes; i += 32) {
    const b0 = v128.load(ahead + i), b1 = v128.load(ahead + i, 16);
    const l0 = v128.load(ahead + i + toLabels), l1 = v128.load(ahead + i + toLabels, 16);
    const s0 = logAdd(b0, l0), s1 = logAdd(b1, l1);
    v128.store(betas + i, s0);
    v128.store(betas + i, s1, 16);
  }
  for (let i: usize = 0; i < bytes; i += 32) {
    const b0 = v128.load(ahead + i, 8), b1 = v128.load(ahead + i, 24), s0 = v128.load(betas + i, 8);
    const s1 = v128.load(betas + i, 24), r0 = v128.load(repeats + i, 8), r1 = v128.load(repeats + i, 24);
    const l0 = v128.load(ahead + i + toLabels), l1 = v128.load(ahead + i + toLabels, 16);
    const n0 = logAdd(l0, v128.bitselect(b0, s0, r0)), n1 = logAdd(l1, v128.bitselect(b1, s1, r1));
    v128.store(betas + i + toLabels, n0);
    v128.store(betas + i + toLabels, n1, 16);
  }
}

/** dx += g·(softmax x − weights) */
function addGradient(x: usize, statistics: usize, weights: usize, classes: i32, g: f32, dx: usize): void {
  const shift = v128.load32_splat(statistics, 8), scale = v128.load32_splat(statistics, 12), factor = splat(g);
  for (let n = classes; n > 0; n -= 4, x += 16, weights += 16, dx += 16) {
    const p = decay(f32x4.sub(loadUpTo4(x, n), shift));
    const difference = f32x4.sub(f32x4.mul(p, scale), loadUpTo4(weights, n));
    storeUpTo4(dx, madd(factor, difference, loadUpTo4(dx, n)), n);
  }
}
