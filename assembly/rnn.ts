// The Elman cell, h = f(W_ih x + b_ih + W_hh h + b_hh), over all time steps of some of the sequences.
import { gemm, scratchOf } from "./gemm";
import { activate, slope } from "./nonlinearity";
import { lengthOf, rowOf } from "./sequence";
import { loadUpTo4, storeUpTo4 } from "./vector";

export { rnnOmega } from "./omega";

@inline function forwardLanes(output: usize, h: usize, kind: i32, left: i32): void {
  const y = activate(loadUpTo4(output, left), kind);
  storeUpTo4(output, y, left);
  storeUpTo4(h, y, left);
}

@inline function backwardLanes(output: usize, dOutput: usize, dh: usize, da: usize, kind: i32, left: i32): void {
  let d = loadUpTo4(dh, left);
  if (dOutput) d = f32x4.add(d, loadUpTo4(dOutput, left));
  storeUpTo4(da, f32x4.mul(d, slope(loadUpTo4(output, left), kind)), left);
  storeUpTo4(dh, f32x4.splat(0), left);
}

@unmanaged export class RnnForwardArgs {
  output: usize; // [T, N, H] in: W_ih x + b_ih + b_hh, out: h
  h: usize; // [N, H] in: the initial state, out: the final one
  weight: usize; // W_hhᵀ, packed; 0 if the output holds W_hh h as well
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32; nonlinearity: i32;
  scratch: usize; chunk: i32;
}

/** Sequences [from, to). */
export function rnnForward(a: RnnForwardArgs, from: i32, to: i32): void {
  const H = a.H, bytes = <usize>H << 2;
  const h = a.h + <usize>from * bytes;
  const scratch = scratchOf(a.scratch, from, a.chunk);
  for (let s = 0; s < a.T; s++) {
    const t = a.reverse ? a.T - 1 - s : s;
    const output = rowOf(a.output, t, from, a.N, bytes);
    if (a.weight) gemm(h, bytes, 4, a.weight, output, bytes, to - from, H, H, true, scratch);
    for (let n = from; n < to; n++) {
      let y = rowOf(a.output, t, n, a.N, bytes);
      if (t >= lengthOf(a.lengths, n, a.T)) {
        memory.fill(y, 0, bytes);
        continue;
      }
      let p = a.h + <usize>n * bytes, left = H;
      for (; left >= 4; left -= 4, y += 16, p += 16) forwardLanes(y, p, a.nonlinearity, 4);
      if (left) forwardLanes(y, p, a.nonlinearity, left);
    }
  }
}

@unmanaged export class RnnBackwardArgs {
  output: usize; dOutput: usize; // [T, N, H]; dOutput may be 0
  dh: usize; // [N, H] in: the gradient of the final state, out: of the initial one
  da: usize; // [T, N, H] out: the gradient before f
  weight: usize; // W_hh, packed; 0 if dh is not to have its part from here
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32; nonlinearity: i32;
  scratch: usize; chunk: i32;
}

/** Sequences [from, to). */
export function rnnBackward(a: RnnBackwardArgs, from: i32, to: i32): void {
  const H = a.H, bytes = <usize>H << 2;
  const dh = a.dh + <usize>from * bytes;
  const scratch = scratchOf(a.scratch, from, a.chunk);
  for (let s = 0; s < a.T; s++) {
    const t = a.reverse ? s : a.T - 1 - s;
    for (let n = from; n < to; n++) {
      let da = rowOf(a.da, t, n, a.N, bytes);
      if (t >= lengthOf(a.lengths, n, a.T)) {
        memory.fill(da, 0, bytes);
        continue;
      }
      let y = rowOf(a.output, t, n, a.N, bytes), p = a.dh + <usize>n * bytes, left = H;
      let dy = a.dOutput ? rowOf(a.dOutput, t, n, a.N, bytes) : 0;
      const step: usize = dy ? 16 : 0;
      for (; left >= 4; left -= 4, y += 16, dy += step, p += 16, da += 16) backwardLanes(y, dy, p, da, a.nonlinearity, 4);
      if (left) backwardLanes(y, dy, p, da, a.nonlinearity, left);
    }
    if (a.weight) gemm(rowOf(a.da, t, from, a.N, bytes), bytes, 4, a.weight, dh, bytes, to - from, H, H, true, scratch);
  }
}
