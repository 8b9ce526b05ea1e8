// Linear recurrences over all time steps, and the minimal cells made of one (Feng et al. 2024). Units of a state are
// independent here, so a thread takes some columns, of all sequences, through all steps: each state is one chain in
// reading order, however the columns were dealt, and the same as step by step.
//
// A unit is a block of 16 columns. Steps past a sequence's length are passed over: they leave the state alone, give
// output 0 and get gradient 0.
import { constant, exp4, madd, nmadd, sigmoid4 } from "./math";
import { lengthOf, rowOf, stateBefore } from "./sequence";
import { loadUpTo4, storeUpTo4 } from "./vector";

@unmanaged export class LinearScanForwardArgs {
  a: usize; b: usize; // [T, N, H]
  output: usize; // [T, N, H] out
  h: usize; // [N, H] in: the initial state, out: the final one
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32;
}

/** h = a∘h + b */
export function linearScanForward(p: LinearScanForwardArgs, from: i32, to: i32): void {
  const N = p.N, bytes = <usize>p.H << 2, first = <usize>from << 6, columns = min(to << 4, p.H) - (from << 4);
  for (let s = 0; s < p.T; s++) {
    const t = p.reverse ? p.T - 1 - s : s;
    for (let n = 0; n < N; n++) {
      let y = rowOf(p.output, t, n, N, bytes) + first, left = columns;
      if (t >= lengthOf(p.lengths, n, p.T)) {
        memory.fill(y, 0, <usize>columns << 2);
        continue;
      }
      let a = rowOf(p.a, t, n, N, bytes) + first, b = rowOf(p.b, t, n, N, bytes) + first;
      let h = p.h + <usize>n * bytes + first;
      for (; left >= 8; left -= 8, a += 32, b += 32, h += 32, y += 32) {
        const a0 = v128.load(a), a1 = v128.load(a, 16), b0 = v128.load(b), b1 = v128.load(b, 16);
        const h0 = madd(a0, v128.load(h), b0), h1 = madd(a1, v128.load(h, 16), b1);
        v128.store(y, h0), v128.store(y, h1, 16);
        v128.store(h, h0), v128.store(h, h1, 16);
      }
      for (; left > 0; left -= 4, a += 16, b += 16, h += 16, y += 16) {
        const next = madd(loadUpTo4(a, left), loadUpTo4(h, left), loadUpTo4(b, left));
        storeUpTo4(y, next, left);
        storeUpTo4(h, next, left);
      }
    }
  }
}

@unmanaged export class LinearScanBackwardArgs {
  a: usize; output: usize; // [T, N, H]
  h0: usize; // [N, H]
  dOutput: usize; // [T, N, H] or 0
  dh: usize; // [N, H] in: the gradient of the final state, out: of the initial one
  da: usize; db: usize; // [T, N, H], added to
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32;
}

/** With d the gradient of h_t: db += d, da += d∘h_{t−1}, and h_{t−1} gets d∘a. */
export function linearScanBackward(p: LinearScanBackwardArgs, from: i32, to: i32): void {
  const N = p.N, bytes = <usize>p.H << 2, first = <usize>from << 6, columns = min(to << 4, p.H) - (from << 4);
  for (let s = 0; s < p.T; s++) {
    const t = p.reverse ? s : p.T - 1 - s;
    for (let n = 0; n < N; n++) {
      const length = lengthOf(p.lengths, n, p.T);
      if (t >= length) continue;
      let a = rowOf(p.a, t, n, N, bytes) + first, da = rowOf(p.da, t, n, N, bytes) + first;
      let db = rowOf(p.db, t, n, N, bytes) + first, dh = p.dh + <usize>n * bytes + first;
      let before = stateBefore(p.output, p.h0, t, n, N, length, p.reverse, bytes) + first;
      let dy = p.dOutput ? rowOf(p.dOutput, t, n, N, bytes) + first : 0;
      let left = columns;
      if (dy) {
        for (; left >= 8; left -= 8, a += 32, da += 32, db += 32, dh += 32, before += 32, dy += 32) {
          const d0 = f32x4.add(v128.load(dh), v128.load(dy)), d1 = f32x4.add(v128.load(dh, 16), v128.load(dy, 16));
          const a0 = madd(d0, v128.load(before), v128.load(da)), a1 = madd(d1, v128.load(before, 16), v128.load(da, 16));
          const b0 = f32x4.add(d0, v128.load(db)), b1 = f32x4.add(d1, v128.load(db, 16));
          const h0 = f32x4.mul(d0, v128.load(a)), h1 = f32x4.mul(d1, v128.load(a, 16));
          v128.store(da, a0), v128.store(da, a1, 16);
          v128.store(db, b0), v128.store(db, b1, 16);
          v128.store(dh, h0), v128.store(dh, h1, 16);
        }
      }
      for (; left > 0; left -= 4, a += 16, da += 16, db += 16, dh += 16, before += 16) {
        let d = loadUpTo4(dh, left);
        if (dy) {
          d = f32x4.add(d, loadUpTo4(dy, left));
          dy += 16;
        }
        storeUpTo4(da, madd(d, loadUpTo4(before, left), loadUpTo4(da, left)), left);
        storeUpTo4(db, f32x4.add(d, loadUpTo4(db, left)), left);
        storeUpTo4(dh, f32x4.mul(d, loadUpTo4(a, left)), left);
      }
    }
  }
}

@unmanaged export class ComplexScanForwardArgs {
  lambda: usize; // [2, H]: real parts, imaginary parts
  x: usize; // [T, N, 2H]: real parts, then imaginary parts
  output: usize; // [T, N, 2H] out
  h: usize; // [N, 2H] in: the initial state, out: the final one
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32;
}

/** h = λ∘h + x, complex numbers. */
export function complexScanForward(p: ComplexScanForwardArgs, from: i32, to: i32): void {
  const N = p.N, half = <usize>p.H << 2, bytes = half << 1, first = <usize>from << 6;
  const columns = min(to << 4, p.H) - (from << 4);
  for (let s = 0; s < p.T; s++) {
    const t = p.reverse ? p.T - 1 - s : s;
    for (let n = 0; n < N; n++) {
      let y = rowOf(p.output, t, n, N, bytes) + first, left = columns;
      if (t >= lengthOf(p.lengths, n, p.T)) {
        memory.fill(y, 0, <usize>columns << 2);
        memory.fill(y + half, 0, <usize>columns << 2);
        continue;
      }
      let l = p.lambda + first, x = rowOf(p.x, t, n, N, bytes) + first, h = p.h + <usize>n * bytes + first;
      for (; left > 0; left -= 4, l += 16, x += 16, h += 16, y += 16) {
        const lr = loadUpTo4(l, left), li = loadUpTo4(l + half, left);
        const hr = loadUpTo4(h, left), hi = loadUpTo4(h + half, left);
        const re = nmadd(li, hi, madd(lr, hr, loadUpTo4(x, left)));
        const im = madd(li, hr, madd(lr, hi, loadUpTo4(x + half, left)));
        storeUpTo4(y, re, left), storeUpTo4(y + half, im, left);
        storeUpTo4(h, re, left), storeUpTo4(h + half, im, left);
      }
    }
  }
}

@unmanaged export class ComplexScanBackwardArgs {
  lambda: usize; output: usize;
  h0: usize; // [N, 2H]
  dOutput: usize; // [T, N, 2H] or 0
  dh: usize; // [N, 2H] in: the gradient of the final state, out: of the initial one
  dLambda: usize; // [2, H], added to
  dx: usize; // [T, N, 2H], added to
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32;
}

/** With d the gradient of h_t: dx += d, dλ += d∘conj h_{t−1}, and h_{t−1} gets d∘conj λ. */
export function complexScanBackward(p: ComplexScanBackwardArgs, from: i32, to: i32): void {
  const N = p.N, half = <usize>p.H << 2, bytes = half << 1, first = <usize>from << 6;
  const columns = min(to << 4, p.H) - (from << 4);
  for (let s = 0; s < p.T; s++) {
    const t = p.reverse ? s : p.T - 1 - s;
    for (let n = 0; n < N; n++) {
      const length = lengthOf(p.lengths, n, p.T);
      if (t >= length) continue;
      let l = p.lambda + first, dl = p.dLambda + first, dx = rowOf(p.dx, t, n, N, bytes) + first;
      let dh = p.dh + <usize>n * bytes + first;
      let before = stateBefore(p.output, p.h0, t, n, N, length, p.reverse, bytes) + first;
      let dy = p.dOutput ? rowOf(p.dOutput, t, n, N, bytes) + first : 0;
      const step: usize = dy ? 16 : 0;
      for (let left = columns; left > 0; left -= 4, l += 16, dl += 16, dx += 16, dh += 16, before += 16, dy += step) {
        let re = loadUpTo4(dh, left), im = loadUpTo4(dh + half, left);
        if (dy) {
          re = f32x4.add(re, loadUpTo4(dy, left));
          im = f32x4.add(im, loadUpTo4(dy + half, left));
        }
        storeUpTo4(dx, f32x4.add(re, loadUpTo4(dx, left)), left);
        storeUpTo4(dx + half, f32x4.add(im, loadUpTo4(dx + half, left)), left);
        const hr = loadUpTo4(before, left), hi = loadUpTo4(before + half, left);
        storeUpTo4(dl, madd(im, hi, madd(re, hr, loadUpTo4(dl, left))), left);
        storeUpTo4(dl + half, nmadd(re, hi, madd(im, hr, loadUpTo4(dl + half, left))), left);
        const lr = loadUpTo4(l, left), li = loadUpTo4(l + half, left);
        storeUpTo4(dh, madd(im, li, f32x4.mul(re, lr)), left);
        storeUpTo4(dh + half, nmadd(re, li, f32x4.mul(im, lr)), left);
      }
    }
  }
}

/**
 * sin x and cos x for 0 ≤ x < 1000 or so: x = n·π/2 + r, polynomials in r (Cephes sinf, cosf), exchanged for odd n and
 * negated by quadrant. Absolute error 1e-7.
 */
let sine: v128 = f32x4.splat(0);

@inline function sincos(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, constant(0.6366197723675814))), quadrant = i32x4.trunc_sat_f32x4_s(n);
  const r = nmadd(n, constant(7.54978995489e-8), nmadd(n, constant(4.83751296997e-4), nmadd(n, constant(1.5703125), x)));
  const z = f32x4.mul(r, r);
  let s = madd(constant(-1.9515295891e-4), z, constant(8.3321608736e-3));
  s = madd(f32x4.mul(madd(s, z, constant(-1.6666654611e-1)), z), r, r);
  let c = madd(constant(2.443315711809948e-5), z, constant(-1.388731625493765e-3));
  c = madd(c, z, constant(4.166664568298827e-2));
  c = madd(f32x4.mul(c, z), z, nmadd(constant(0.5), z, constant(1)));
  const odd = i32x4.eq(v128.and(quadrant, i32x4.splat(1)), i32x4.splat(1));
  const negative = i32x4.shl(quadrant, 30), sign = i32x4.splat(i32.MIN_VALUE);
  sine = v128.xor(v128.bitselect(c, s, odd), v128.and(negative, sign));
  return v128.xor(v128.bitselect(s, c, odd), v128.and(v128.xor(negative, i32x4.shl(quadrant, 31)), sign));
}

@unmanaged export class PolarForwardArgs { nu: usize; theta: usize; lambda: usize; H: i32 }

/** λ = e^(−e^ν + i·e^θ), [2, H]: real parts, imaginary parts. */
export function polarForward(p: PolarForwardArgs, from: i32, to: i32): void {
  for (let i = from; i < to; i += 4) {
    const at = <usize>i << 2, left = to - i, re = p.lambda + at, im = re + (<usize>p.H << 2);
    const size = exp4(f32x4.neg(exp4(loadUpTo4(p.nu + at, left))));
    const cosine = sincos(exp4(loadUpTo4(p.theta + at, left)));
    storeUpTo4(re, f32x4.mul(size, cosine), left);
    storeUpTo4(im, f32x4.mul(size, sine), left);
  }
}

@unmanaged export class PolarBackwardArgs {
  nu: usize; theta: usize; lambda: usize; dLambda: usize; dNu: usize; dTheta: usize; H: i32;
}

/** dν −= e^ν·Re(dλ·conj λ), dθ += e^θ·Im(dλ·conj λ), where dλ holds ∂/∂re + i·∂/∂im. */
export function polarBackward(p: PolarBackwardArgs, from: i32, to: i32): void {
  for (let i = from; i < to; i += 4) {
    const at = <usize>i << 2, left = to - i, half = <usize>p.H << 2;
    const re = loadUpTo4(p.lambda + at, left), im = loadUpTo4(p.lambda + half + at, left);
    const dRe = loadUpTo4(p.dLambda + at, left), dIm = loadUpTo4(p.dLambda + half + at, left);
    const along = madd(dIm, im, f32x4.mul(dRe, re)), across = nmadd(dRe, im, f32x4.mul(dIm, re));
    storeUpTo4(p.dNu + at, nmadd(exp4(loadUpTo4(p.nu + at, left)), along, loadUpTo4(p.dNu + at, left)), left);
    storeUpTo4(p.dTheta + at, madd(exp4(loadUpTo4(p.theta + at, left)), across, loadUpTo4(p.dTheta + at, left)), left);
  }
}

// minGRU and minLSTM: gates of the input alone, and the scan, in one pass over `pre`, a row of which holds [z̃, h̃] or
// [f̃, ĩ, h̃]. Backward computes the gates again rather than reading them from memory.
//   minGRU:   h' = (1 − z)∘h + z∘g(h̃)                        z = σ(z̃)
//   minLSTM:  h' = f/(f + i)∘h + i/(f + i)∘g(h̃)              f = σ(f̃), i = σ(ĩ)
//   g(x) = x + ½ for x ≥ 0, else σ(x): continuous and positive

@inline function positive(x: v128, s: v128): v128 {
  return v128.bitselect(f32x4.add(x, constant(0.5)), s, f32x4.ge(x, constant(0)));
}

/** g′(x), of x and s = σ(x). */
@inline function positiveSlope(x: v128, s: v128): v128 {
  return v128.bitselect(constant(1), nmadd(s, s, s), f32x4.ge(x, constant(0)));
}

@unmanaged export class MinimalForwardArgs {
  pre: usize; // [T, N, 2H] or [T, N, 3H]: W x + b
  output: usize; // [T, N, H] out
  h: usize; // [N, H] in: the initial state, out: the final one
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32;
}

@inline function gruStep(z: v128, x: v128, h: v128): v128 {
  const u = sigmoid4(z);
  return madd(u, positive(x, sigmoid4(x)), nmadd(u, h, h));
}

@inline function lstmStep(p: v128, q: v128, x: v128, h: v128): v128 {
  const f = sigmoid4(p), i = sigmoid4(q), sum = f32x4.add(f, i);
  return madd(f32x4.div(i, sum), positive(x, sigmoid4(x)), f32x4.mul(f32x4.div(f, sum), h));
}

@inline function minimalForward(a: MinimalForwardArgs, from: i32, to: i32, gates: i32): void {
  const N = a.N, bytes = <usize>a.H << 2, row = bytes * gates, first = <usize>from << 6;
  const columns = min(to << 4, a.H) - (from << 4);
  for (let s = 0; s < a.T; s++) {
    const t = a.reverse ? a.T - 1 - s : s;
    for (let n = 0; n < N; n++) {
      let y = rowOf(a.output, t, n, N, bytes) + first, left = columns;
      if (t >= lengthOf(a.lengths, n, a.T)) {
        memory.fill(y, 0, <usize>columns << 2);
        continue;
      }
      let p = rowOf(a.pre, t, n, N, row) + first, h = a.h + <usize>n * bytes + first;
      for (; left >= 8; left -= 8, p += 32, h += 32, y += 32) {
        const q = p + bytes, p0 = v128.load(p), p1 = v128.load(p, 16), q0 = v128.load(q), q1 = v128.load(q, 16);
        let h0 = v128.load(h), h1 = v128.load(h, 16);
        if (gates == 2) {
          h0 = gruStep(p0, q0, h0), h1 = gruStep(p1, q1, h1);
        } else {
          const r = q + bytes, r0 = v128.load(r), r1 = v128.load(r, 16);
          h0 = lstmStep(p0, q0, r0, h0), h1 = lstmStep(p1, q1, r1, h1);
        }
        v128.store(y, h0), v128.store(y, h1, 16);
        v128.store(h, h0), v128.store(h, h1, 16);
      }
      for (; left > 0; left -= 4, p += 16, h += 16, y += 16) {
        const p0 = loadUpTo4(p, left), q0 = loadUpTo4(p + bytes, left), h0 = loadUpTo4(h, left);
        const next = gates == 2 ? gruStep(p0, q0, h0) : lstmStep(p0, q0, loadUpTo4(p + 2 * bytes, left), h0);
        storeUpTo4(y, next, left);
        storeUpTo4(h, next, left);
      }
    }
  }
}

export function minGruForward(a: MinimalForwardArgs, from: i32, to: i32): void { minimalForward(a, from, to, 2); }
export function minLstmForward(a: MinimalForwardArgs, from: i32, to: i32): void { minimalForward(a, from, to, 3); }

@unmanaged export class MinimalBackwardArgs {
  pre: usize; output: usize;
  h0: usize; // [N, H]
  dOutput: usize; // [T, N, H], or one row of zeros for all (dOutputRow 0)
  dOutputRow: i32;
  dh: usize; // [N, H] in: the gradient of the final state, out: of the initial one
  dPre: usize; // as pre, out
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32;
}

/** With d the gradient of h_t: dz̃ = d∘(g − h_{t−1})∘z∘(1 − z), dh̃ = d∘z∘g′, and h_{t−1} gets d∘(1 − z). */
export function minGruBackward(a: MinimalBackwardArgs, from: i32, to: i32): void {
  const N = a.N, bytes = <usize>a.H << 2, row = bytes * 2, first = <usize>from << 6;
  const columns = min(to << 4, a.H) - (from << 4);
  for (let s = 0; s < a.T; s++) {
    const t = a.reverse ? s : a.T - 1 - s;
    for (let n = 0; n < N; n++) {
      let dp = rowOf(a.dPre, t, n, N, row) + first, left = columns;
      const length = lengthOf(a.lengths, n, a.T);
      if (t >= length) {
        memory.fill(dp, 0, <usize>columns << 2);
        memory.fill(dp + bytes, 0, <usize>columns << 2);
        continue;
      }
      let p = rowOf(a.pre, t, n, N, row) + first, dh = a.dh + <usize>n * bytes + first;
      let before = stateBefore(a.output, a.h0, t, n, N, length, a.reverse, bytes) + first;
      let dy = rowOf(a.dOutput, t, n, N, a.dOutputRow) + first;
      for (; left >= 8; left -= 8, p += 32, dp += 32, dh += 32, before += 32, dy += 32) {
        const q = p + bytes, dq = dp + bytes;
        const p0 = v128.load(p), p1 = v128.load(p, 16), q0 = v128.load(q), q1 = v128.load(q, 16);
        const b0 = v128.load(before), b1 = v128.load(before, 16);
        const d0 = f32x4.add(v128.load(dh), v128.load(dy)), d1 = f32x4.add(v128.load(dh, 16), v128.load(dy, 16));
        const z0 = sigmoid4(p0), z1 = sigmoid4(p1), s0 = sigmoid4(q0), s1 = sigmoid4(q1);
        const g0 = f32x4.mul(d0, f32x4.sub(positive(q0, s0), b0)), g1 = f32x4.mul(d1, f32x4.sub(positive(q1, s1), b1));
        const u0 = f32x4.mul(d0, z0), u1 = f32x4.mul(d1, z1);
        v128.store(dp, f32x4.mul(g0, nmadd(z0, z0, z0))), v128.store(dp, f32x4.mul(g1, nmadd(z1, z1, z1)), 16);
        v128.store(dq, f32x4.mul(u0, positiveSlope(q0, s0))), v128.store(dq, f32x4.mul(u1, positiveSlope(q1, s1)), 16);
        v128.store(dh, f32x4.sub(d0, u0)), v128.store(dh, f32x4.sub(d1, u1), 16);
      }
      for (; left > 0; left -= 4, p += 16, dp += 16, dh += 16, before += 16, dy += 16) {
        const q0 = loadUpTo4(p + bytes, left), z0 = sigmoid4(loadUpTo4(p, left)), s0 = sigmoid4(q0);
        const d0 = f32x4.add(loadUpTo4(dh, left), loadUpTo4(dy, left)), u0 = f32x4.mul(d0, z0);
        const g0 = f32x4.mul(d0, f32x4.sub(positive(q0, s0), loadUpTo4(before, left)));
        storeUpTo4(dp, f32x4.mul(g0, nmadd(z0, z0, z0)), left);
        storeUpTo4(dp + bytes, f32x4.mul(u0, positiveSlope(q0, s0)), left);
        storeUpTo4(dh, f32x4.sub(d0, u0), left);
      }
    }
  }
}

/**
 * With f′ = f/(f + i), i′ = i/(f + i) and D = d∘(h_{t−1} − g)∘f′∘i′: df̃ = D∘(1 − f), dĩ = −D∘(1 − i), dh̃ = d∘i′∘g′, and
 * h_{t−1} gets d∘f′.
 */
export function minLstmBackward(a: MinimalBackwardArgs, from: i32, to: i32): void {
  const N = a.N, bytes = <usize>a.H << 2, row = bytes * 3, first = <usize>from << 6;
  const columns = min(to << 4, a.H) - (from << 4);
  for (let s = 0; s < a.T; s++) {
    const t = a.reverse ? s : a.T - 1 - s;
    for (let n = 0; n < N; n++) {
      let dp = rowOf(a.dPre, t, n, N, row) + first, left = columns;
      const length = lengthOf(a.lengths, n, a.T);
      if (t >= length) {
        for (let gate: usize = 0; gate < 3; gate++) memory.fill(dp + gate * bytes, 0, <usize>columns << 2);
        continue;
      }
      let p = rowOf(a.pre, t, n, N, row) + first, dh = a.dh + <usize>n * bytes + first;
      let before = stateBefore(a.output, a.h0, t, n, N, length, a.reverse, bytes) + first;
      let dy = rowOf(a.dOutput, t, n, N, a.dOutputRow) + first;
      for (; left > 0; left -= 4, p += 16, dp += 16, dh += 16, before += 16, dy += 16) {
        const one = constant(1), f = sigmoid4(loadUpTo4(p, left)), i = sigmoid4(loadUpTo4(p + bytes, left));
        const x = loadUpTo4(p + 2 * bytes, left), s0 = sigmoid4(x), sum = f32x4.add(f, i);
        const keep = f32x4.div(f, sum), take = f32x4.div(i, sum);
        const d = f32x4.add(loadUpTo4(dh, left), loadUpTo4(dy, left));
        const D = f32x4.mul(f32x4.mul(f32x4.mul(d, f32x4.sub(loadUpTo4(before, left), positive(x, s0))), keep), take);
        storeUpTo4(dp, f32x4.mul(D, f32x4.sub(one, f)), left);
        storeUpTo4(dp + bytes, f32x4.mul(D, f32x4.sub(i, one)), left);
        storeUpTo4(dp + 2 * bytes, f32x4.mul(f32x4.mul(d, take), positiveSlope(x, s0)), left);
        storeUpTo4(dh, f32x4.mul(d, keep), left);
      }
    }
  }
}
