// The GRU over all time steps of some of the sequences. A row of `gates` holds [r, z, n, m], H floats each:
//   r, z = σ(W_i x + b_i + W_h h + b_h)        h' = (1 − z)∘n + z∘h
//   reset after the product:   m = W_hn h + b_hn,   n = tanh(W_in x + b_in + r∘m)
//   reset before the product:  m = r∘h,             n = tanh(W_in x + b_in + W_hn m + b_hn)
import { gemm, scratchOf } from "./gemm";
import { constant, madd, sigmoid4, tanh4 } from "./math";
import { lengthOf, rowOf, stateBefore } from "./sequence";
import { loadUpTo4, storeUpTo4 } from "./vector";

/** r and m = r∘h, for the reset before the product. */
@inline function resetLanes(r: usize, h: usize, H: usize, left: i32): void {
  const reset = sigmoid4(loadUpTo4(r, left));
  storeUpTo4(r, reset, left);
  storeUpTo4(r + 3 * H, f32x4.mul(reset, loadUpTo4(h, left)), left);
}

@inline function updateLanes(p: usize, h: usize, y: usize, H: usize, resetAfter: i32, left: i32): void {
  const z = sigmoid4(loadUpTo4(p + H, left));
  let a = loadUpTo4(p + 2 * H, left);
  if (resetAfter) {
    const r = sigmoid4(loadUpTo4(p, left));
    a = madd(r, loadUpTo4(p + 3 * H, left), a);
    storeUpTo4(p, r, left);
  }
  const n = tanh4(a);
  const next = madd(z, f32x4.sub(loadUpTo4(h, left), n), n);
  storeUpTo4(p + H, z, left);
  storeUpTo4(p + 2 * H, n, left);
  storeUpTo4(h, next, left);
  storeUpTo4(y, next, left);
}

/** The same with the reset after, eight units at a time: V8 makes one 256-bit operation of two alike side by side. */
function updateEights(g: usize, gate: usize, h: usize, y: usize, bytes: usize): void {
  for (let u: usize = 0; u < bytes; u += 32) {
    const pr = g + u, pz = pr + gate, pn = pz + gate, pm = pn + gate;
    const r0 = sigmoid4(v128.load(pr)), r1 = sigmoid4(v128.load(pr, 16));
    const z0 = sigmoid4(v128.load(pz)), z1 = sigmoid4(v128.load(pz, 16));
    const n0 = tanh4(madd(r0, v128.load(pm), v128.load(pn))), n1 = tanh4(madd(r1, v128.load(pm, 16), v128.load(pn, 16)));
    const h0 = v128.load(h + u), h1 = v128.load(h + u, 16);
    const next0 = madd(z0, f32x4.sub(h0, n0), n0), next1 = madd(z1, f32x4.sub(h1, n1), n1);
    v128.store(pr, r0), v128.store(pr, r1, 16);
    v128.store(pz, z0), v128.store(pz, z1, 16);
    v128.store(pn, n0), v128.store(pn, n1, 16);
    v128.store(h + u, next0), v128.store(h + u, next1, 16);
    v128.store(y + u, next0), v128.store(y + u, next1, 16);
  }
}

@unmanaged export class GruForwardArgs {
  gates: usize; // [T, N, 4H] in: r, z, n before their nonlinearities without the state's part, out: r, z, n, m
  output: usize; // [T, N, H] out
  h: usize; // [N, H] in: the initial state, out: the final one
  weightRZ: usize; // W_hr and W_hz, transposed, packed; 0 if the gates hold the products with h already
  weightN: usize; // W_hn, transposed, packed, starting from b_hn if the reset comes after
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32; resetAfter: i32;
  scratch: usize; chunk: i32;
}

/** Sequences [from, to). */
export function gruForward(a: GruForwardArgs, from: i32, to: i32): void {
  const H = a.H, N = a.N, rows = to - from, bytes = <usize>H << 2, gateBytes = bytes << 2;
  const h = a.h + <usize>from * bytes;
  const scratch = scratchOf(a.scratch, from, a.chunk);
  for (let s = 0; s < a.T; s++) {
    const t = a.reverse ? a.T - 1 - s : s;
    const gates = rowOf(a.gates, t, from, N, gateBytes);
    if (a.weightRZ) gemm(h, bytes, 4, a.weightRZ, gates, gateBytes, rows, 2 * H, H, true, scratch);
    if (a.resetAfter) {
      if (a.weightRZ) gemm(h, bytes, 4, a.weightN, gates + 3 * bytes, gateBytes, rows, H, H, false, scratch);
    } else {
      for (let n = from; n < to; n++) {
        let r = rowOf(a.gates, t, n, N, gateBytes), p = a.h + <usize>n * bytes, left = H;
        for (; left >= 4; left -= 4, r += 16, p += 16) resetLanes(r, p, bytes, 4);
        if (left) resetLanes(r, p, bytes, left);
      }
      gemm(gates + 3 * bytes, gateBytes, 4, a.weightN, gates + 2 * bytes, gateBytes, rows, H, H, true, scratch);
    }
    for (let n = from; n < to; n++) {
      let g = rowOf(a.gates, t, n, N, gateBytes), y = rowOf(a.output, t, n, N, bytes);
      if (t >= lengthOf(a.lengths, n, a.T)) {
        memory.fill(g, 0, gateBytes);
        memory.fill(y, 0, bytes);
        continue;
      }
      let p = a.h + <usize>n * bytes, left = H;
      if (a.resetAfter) {
        const whole = <usize>(H & ~7) << 2;
        updateEights(g, bytes, p, y, whole);
        g += whole, p += whole, y += whole, left = H & 7;
      }
      for (; left >= 4; left -= 4, g += 16, p += 16, y += 16) updateLanes(g, p, y, bytes, a.resetAfter, 4);
      if (left) updateLanes(g, p, y, bytes, a.resetAfter, left);
    }
  }
}

/** What does not pass through the matrices: da_r (reset after), da_z, da_n, dm (reset after), and dh∘z to carry on. */
@inline function backwardLanes(
  g: usize, before: usize, dOutput: usize, dh: usize, da: usize, H: usize, resetAfter: i32, left: i32,
): void {
  const one = constant(1);
  let d = loadUpTo4(dh, left);
  if (dOutput) d = f32x4.add(d, loadUpTo4(dOutput, left));
  const z = loadUpTo4(g + H, left), n = loadUpTo4(g + 2 * H, left);
  const rest = f32x4.sub(one, z);
  const dn = f32x4.mul(f32x4.mul(d, rest), f32x4.sub(one, f32x4.mul(n, n)));
  const dz = f32x4.mul(f32x4.mul(d, f32x4.sub(loadUpTo4(before, left), n)), f32x4.mul(z, rest));
  storeUpTo4(dh, f32x4.mul(d, z), left);
  storeUpTo4(da + H, dz, left);
  storeUpTo4(da + 2 * H, dn, left);
  if (resetAfter) {
    const r = loadUpTo4(g, left), dm = f32x4.mul(dn, r);
    storeUpTo4(da, f32x4.mul(f32x4.mul(dm, loadUpTo4(g + 3 * H, left)), f32x4.sub(one, r)), left);
    storeUpTo4(da + 3 * H, dm, left);
  }
}

/** m = r∘h, for the reset before the product: dm, which the matrix gave, becomes da_r and a part of dh. */
@inline function resetBackwardLanes(g: usize, dh: usize, da: usize, H: usize, left: i32): void {
  const r = loadUpTo4(g, left), dm = loadUpTo4(da + 3 * H, left);
  storeUpTo4(dh, madd(dm, r, loadUpTo4(dh, left)), left);
  storeUpTo4(da, f32x4.mul(f32x4.mul(dm, loadUpTo4(g + 3 * H, left)), f32x4.sub(constant(1), r)), left);
}

@unmanaged export class GruBackwardArgs {
  gates: usize; output: usize; dOutput: usize; // as forward left them; dOutput may be 0
  h0: usize; // [N, H]
  dh: usize; // [N, H] in: the gradient of the final state, out: of the initial one
  da: usize; // [T, N, 4H] out: the gradients of r, z, n before their nonlinearities, and of m
  weightRZ: usize; // W_hr and W_hz, packed
  weightN: usize; // W_hn, packed
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32; resetAfter: i32;
  scratch: usize; chunk: i32;
}

/** Sequences [from, to). */
export function gruBackward(a: GruBackwardArgs, from: i32, to: i32): void {
  const H = a.H, N = a.N, rows = to - from, bytes = <usize>H << 2, gateBytes = bytes << 2;
  const dh = a.dh + <usize>from * bytes;
  const scratch = scratchOf(a.scratch, from, a.chunk);
  for (let s = 0; s < a.T; s++) {
    const t = a.reverse ? s : a.T - 1 - s;
    const first = rowOf(a.da, t, from, N, gateBytes);
    for (let n = from; n < to; n++) {
      const length = lengthOf(a.lengths, n, a.T);
      let da = rowOf(a.da, t, n, N, gateBytes);
      if (t >= length) {
        memory.fill(da, 0, gateBytes);
        continue;
      }
      let g = rowOf(a.gates, t, n, N, gateBytes), p = a.dh + <usize>n * bytes, left = H;
      let before = stateBefore(a.output, a.h0, t, n, N, length, a.reverse, bytes);
      let dy = a.dOutput ? rowOf(a.dOutput, t, n, N, bytes) : 0;
      const step: usize = dy ? 16 : 0;
      for (; left >= 4; left -= 4, g += 16, before += 16, dy += step, p += 16, da += 16) {
        backwardLanes(g, before, dy, p, da, bytes, a.resetAfter, 4);
      }
      if (left) backwardLanes(g, before, dy, p, da, bytes, a.resetAfter, left);
    }
    if (a.resetAfter) {
      gemm(first + 3 * bytes, gateBytes, 4, a.weightN, dh, bytes, rows, H, H, true, scratch);
    } else {
      gemm(first + 2 * bytes, gateBytes, 4, a.weightN, first + 3 * bytes, gateBytes, rows, H, H, false, scratch);
      for (let n = from; n < to; n++) {
        if (t >= lengthOf(a.lengths, n, a.T)) continue;
        let g = rowOf(a.gates, t, n, N, gateBytes), p = a.dh + <usize>n * bytes, da = rowOf(a.da, t, n, N, gateBytes);
        let left = H;
        for (; left >= 4; left -= 4, g += 16, p += 16, da += 16) resetBackwardLanes(g, p, da, bytes, 4);
        if (left) resetBackwardLanes(g, p, da, bytes, left);
      }
    }
    gemm(first, gateBytes, 4, a.weightRZ, dh, bytes, rows, H, 2 * H, true, scratch);
  }
}
