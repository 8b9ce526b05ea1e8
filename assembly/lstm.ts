// Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000; peepholes: Gers & Schmidhuber
// 2000; projection: Sak et al. 2014), all time steps of some batch rows at once. Gates stand in the order i f g o.
//
// Rows of a batch are independent, so a thread takes its rows through all T steps and waits for nobody. Steps past a
// sequence's length are passed over: they leave the state alone, give output 0, and get gradient 0.
import { gemm, scratchOf } from "./gemm";
import { constant, madd, nmadd, sigmoid4, tanh4 } from "./math";
import { lengthOf, rowOf, stateBefore } from "./sequence";

@unmanaged export class LstmForwardArgs {
  gates: usize; // [T, N, 4H], in: x·W_ihᵀ + biases, out: the gates' values
  output: usize; // [T, N, R], R = P if projected, else H
  cells: usize; // [T, N, H], out: c
  hidden: usize; // [T, N, H], out: o ∘ tanh c, if projected
  h: usize; // [N, R], in: h before the first step, out: after the last
  c: usize; // [N, H], likewise
  weightHh: usize; // packed, [R, 4H]; 0 if the gates hold h·W_hhᵀ as well
  weightHr: usize; // packed, [H, R]; 0 if not projected
  peephole: usize; // [3, H] or 0
  lengths: usize; // i32 [N] or 0
  T: i32; N: i32; H: i32; R: i32; reverse: i32; scratch: usize; chunk: i32;
}

/**
 * A block of units of one row, in steps of 8: gates at g, `gate` bytes apart, become their values; c is updated and
 * copied to `cells`; h goes to `out` and `h`. Peepholes i f o stand at p, `peep` bytes apart.
 */
@inline function cell(
  g: usize, gate: usize, c: usize, cells: usize, out: usize, h: usize, p: usize, peep: usize, bytes: usize,
  peephole: bool,
): void {
  for (let u: usize = 0; u < bytes; u += 32) {
    const pi = g + u, pf = pi + gate, pg = pf + gate, po = pg + gate;
    let i0 = v128.load(pi), i1 = v128.load(pi, 16);
    let f0 = v128.load(pf), f1 = v128.load(pf, 16);
    let g0 = v128.load(pg), g1 = v128.load(pg, 16);
    let o0 = v128.load(po), o1 = v128.load(po, 16);
    let c0 = v128.load(c + u), c1 = v128.load(c + u, 16);
    if (peephole) {
      const q = p + u, r = q + peep;
      i0 = madd(v128.load(q), c0, i0), i1 = madd(v128.load(q, 16), c1, i1);
      f0 = madd(v128.load(r), c0, f0), f1 = madd(v128.load(r, 16), c1, f1);
    }
    i0 = sigmoid4(i0), i1 = sigmoid4(i1);
    f0 = sigmoid4(f0), f1 = sigmoid4(f1);
    g0 = tanh4(g0), g1 = tanh4(g1);
    c0 = madd(f0, c0, f32x4.mul(i0, g0)), c1 = madd(f1, c1, f32x4.mul(i1, g1));
    if (peephole) {
      const q = p + u + 2 * peep;
      o0 = madd(v128.load(q), c0, o0), o1 = madd(v128.load(q, 16), c1, o1);
    }
    o0 = sigmoid4(o0), o1 = sigmoid4(o1);
    const h0 = f32x4.mul(o0, tanh4(c0)), h1 = f32x4.mul(o1, tanh4(c1));
    v128.store(pi, i0), v128.store(pi, i1, 16);
    v128.store(pf, f0), v128.store(pf, f1, 16);
    v128.store(pg, g0), v128.store(pg, g1, 16);
    v128.store(po, o0), v128.store(po, o1, 16);
    v128.store(c + u, c0), v128.store(c + u, c1, 16);
    v128.store(cells + u, c0), v128.store(cells + u, c1, 16);
    v128.store(out + u, h0), v128.store(out + u, h1, 16);
    v128.store(h + u, h0), v128.store(h + u, h1, 16);
  }
}

function cellPlain(g: usize, gate: usize, c: usize, cells: usize, out: usize, h: usize, bytes: usize): void {
  cell(g, gate, c, cells, out, h, 0, 0, bytes, false);
}

function cellPeephole(
  g: usize, gate: usize, c: usize, cells: usize, out: usize, h: usize, p: usize, peep: usize, bytes: usize,
): void {
  cell(g, gate, c, cells, out, h, p, peep, bytes, true);
}

@inline function copy(to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) f32.store(to + i, f32.load(from + i));
}

/** All units of a row: blocks of 8 in place, the rest in the tail. */
function cellRow(g: usize, H: i32, c: usize, cells: usize, out: usize, h: usize, peephole: usize, tail: usize): void {
  const gate = <usize>H << 2, whole = <usize>(H & ~7) << 2, rest = gate - whole;
  if (peephole) cellPeephole(g, gate, c, cells, out, h, peephole, gate, whole);
  else cellPlain(g, gate, c, cells, out, h, whole);
  if (rest == 0) return;
  for (let k: usize = 0; k < 4; k++) copy(tail + 32 * k, g + gate * k + whole, rest);
  copy(tail + 128, c + whole, rest);
  if (peephole) {
    for (let k: usize = 0; k < 3; k++) copy(tail + 160 + 32 * k, peephole + gate * k + whole, rest);
    cellPeephole(tail, 32, tail + 128, tail + 256, tail + 288, tail + 320, tail + 160, 32, 32);
  } else {
    cellPlain(tail, 32, tail + 128, tail + 256, tail + 288, tail + 320, 32);
  }
  for (let k: usize = 0; k < 4; k++) copy(g + gate * k + whole, tail + 32 * k, rest);
  copy(c + whole, tail + 128, rest);
  copy(cells + whole, tail + 256, rest);
  copy(out + whole, tail + 288, rest);
  copy(h + whole, tail + 320, rest);
}

/** Batch rows [from, to), all steps. */
export function lstmForward(a: LstmForwardArgs, from: i32, to: i32): void {
  const T = a.T, N = a.N, H = a.H, R = a.R, rows = to - from;
  const gatesRow = <usize>H << 4, hRow = <usize>H << 2, outRow = <usize>R << 2;
  const scratch = scratchOf(a.scratch, from, a.chunk);
  const projected = a.weightHr != 0;
  const h = a.h + <usize>from * outRow;
  for (let s = 0; s < T; s++) {
    const t = a.reverse ? T - 1 - s : s;
    const gates = rowOf(a.gates, t, from, N, gatesRow);
    if (a.weightHh) gemm(h, outRow, 4, a.weightHh, gates, gatesRow, rows, 4 * H, R, true, scratch);
    for (let n = from; n < to; n++) {
      const out = projected ? rowOf(a.hidden, t, n, N, hRow) : rowOf(a.output, t, n, N, hRow);
      if (t >= lengthOf(a.lengths, n, T)) {
        memory.fill(out, 0, hRow);
        continue;
      }
      cellRow(
        rowOf(a.gates, t, n, N, gatesRow), H, a.c + <usize>n * hRow, rowOf(a.cells, t, n, N, hRow), out,
        projected ? out : a.h + <usize>n * hRow, a.peephole, scratch,
      );
    }
    if (!projected) continue;
    gemm(rowOf(a.hidden, t, from, N, hRow), hRow, 4, a.weightHr, rowOf(a.output, t, from, N, outRow), outRow, rows, R, H, false, scratch);
    for (let n = from; n < to; n++) {
      if (t < lengthOf(a.lengths, n, T)) memory.copy(a.h + <usize>n * outRow, rowOf(a.output, t, n, N, outRow), outRow);
    }
  }
}

@unmanaged export class LstmBackwardArgs {
  gates: usize; // [T, N, 4H], the gates' values
  cells: usize; // [T, N, H]
  c0: usize; // [N, H]
  dOutput: usize; // [T, N, R], or one row of zeros for all (dOutputRow 0)
  dOutputRow: usize; // bytes
  dh: usize; // [N, R], in: gradient of the last h, out: of h0
  dc: usize; // [N, H], likewise
  zeros: usize; // max(H, R) of them
  dGates: usize; // [T, N, 4H], out: gradient of the gates before their activation
  dProjected: usize; // [T, N, R], out: gradient of the projected h, if projected
  dHidden: usize; // [N, H], working space, if projected
  weightHh: usize; // packed, [4H, R]; 0 if dh is not to have its part from here
  weightHr: usize; // packed, [R, H]; 0 if not projected
  peephole: usize; // [3, H] or 0
  lengths: usize; // i32 [N] or 0
  T: i32; N: i32; H: i32; R: i32; reverse: i32; scratch: usize; chunk: i32;
}

/**
 * The mirror image of `cell`: from the gradient of h (dh + dOut; dh is taken and left 0) and of c (dc) those of the
 * gates before their activation, and of the c before (into dc).
 */
@inline function cellBack(
  g: usize, gate: usize, before: usize, cells: usize, dOut: usize, dh: usize, dc: usize, d: usize, dGate: usize,
  p: usize, peep: usize, bytes: usize, peephole: bool,
): void {
  const one = constant(1), zero = f32x4.splat(0);
  for (let u: usize = 0; u < bytes; u += 32) {
    const pi = g + u, pf = pi + gate, pg = pf + gate, po = pg + gate;
    const i0 = v128.load(pi), i1 = v128.load(pi, 16);
    const f0 = v128.load(pf), f1 = v128.load(pf, 16);
    const g0 = v128.load(pg), g1 = v128.load(pg, 16);
    const o0 = v128.load(po), o1 = v128.load(po, 16);
    const b0 = v128.load(before + u), b1 = v128.load(before + u, 16);
    const t0 = tanh4(v128.load(cells + u)), t1 = tanh4(v128.load(cells + u, 16));
    const h0 = f32x4.add(v128.load(dh + u), v128.load(dOut + u));
    const h1 = f32x4.add(v128.load(dh + u, 16), v128.load(dOut + u, 16));
    // ∂o = ∂h tanh c · o(1 − o)
    const do0 = f32x4.mul(f32x4.mul(h0, t0), nmadd(o0, o0, o0)), do1 = f32x4.mul(f32x4.mul(h1, t1), nmadd(o1, o1, o1));
    // ∂c += ∂h o (1 − tanh² c)
    let dc0 = madd(f32x4.mul(h0, o0), nmadd(t0, t0, one), v128.load(dc + u));
    let dc1 = madd(f32x4.mul(h1, o1), nmadd(t1, t1, one), v128.load(dc + u, 16));
    if (peephole) {
      const q = p + u + 2 * peep;
      dc0 = madd(v128.load(q), do0, dc0), dc1 = madd(v128.load(q, 16), do1, dc1);
    }
    // ∂i = ∂c g · i(1 − i), ∂f = ∂c c₋₁ · f(1 − f), ∂g = ∂c i (1 − g²)
    const di0 = f32x4.mul(f32x4.mul(dc0, g0), nmadd(i0, i0, i0)), di1 = f32x4.mul(f32x4.mul(dc1, g1), nmadd(i1, i1, i1));
    const df0 = f32x4.mul(f32x4.mul(dc0, b0), nmadd(f0, f0, f0)), df1 = f32x4.mul(f32x4.mul(dc1, b1), nmadd(f1, f1, f1));
    const dg0 = f32x4.mul(f32x4.mul(dc0, i0), nmadd(g0, g0, one)), dg1 = f32x4.mul(f32x4.mul(dc1, i1), nmadd(g1, g1, one));
    dc0 = f32x4.mul(dc0, f0), dc1 = f32x4.mul(dc1, f1);
    if (peephole) {
      const q = p + u, r = q + peep;
      dc0 = madd(v128.load(q), di0, dc0), dc1 = madd(v128.load(q, 16), di1, dc1);
      dc0 = madd(v128.load(r), df0, dc0), dc1 = madd(v128.load(r, 16), df1, dc1);
    }
    const qi = d + u, qf = qi + dGate, qg = qf + dGate, qo = qg + dGate;
    v128.store(qi, di0), v128.store(qi, di1, 16);
    v128.store(qf, df0), v128.store(qf, df1, 16);
    v128.store(qg, dg0), v128.store(qg, dg1, 16);
    v128.store(qo, do0), v128.store(qo, do1, 16);
    v128.store(dc + u, dc0), v128.store(dc + u, dc1, 16);
    v128.store(dh + u, zero), v128.store(dh + u, zero, 16);
  }
}

function cellBackPlain(
  g: usize, gate: usize, before: usize, cells: usize, dOut: usize, dh: usize, dc: usize, d: usize, dGate: usize,
  bytes: usize,
): void {
  cellBack(g, gate, before, cells, dOut, dh, dc, d, dGate, 0, 0, bytes, false);
}

function cellBackPeephole(
  g: usize, gate: usize, before: usize, cells: usize, dOut: usize, dh: usize, dc: usize, d: usize, dGate: usize,
  p: usize, peep: usize, bytes: usize,
): void {
  cellBack(g, gate, before, cells, dOut, dh, dc, d, dGate, p, peep, bytes, true);
}

/** All units of a row: blocks of 8 in place, the rest in the tail. */
function cellRowBack(
  g: usize, H: i32, before: usize, cells: usize, dOut: usize, dh: usize, dc: usize, d: usize, peephole: usize,
  tail: usize,
): void {
  const gate = <usize>H << 2, whole = <usize>(H & ~7) << 2, rest = gate - whole;
  if (peephole) cellBackPeephole(g, gate, before, cells, dOut, dh, dc, d, gate, peephole, gate, whole);
  else cellBackPlain(g, gate, before, cells, dOut, dh, dc, d, gate, whole);
  if (rest == 0) return;
  for (let k: usize = 0; k < 4; k++) copy(tail + 32 * k, g + gate * k + whole, rest);
  copy(tail + 128, before + whole, rest);
  copy(tail + 160, cells + whole, rest);
  copy(tail + 192, dOut + whole, rest);
  copy(tail + 224, dh + whole, rest);
  copy(tail + 256, dc + whole, rest);
  if (peephole) {
    for (let k: usize = 0; k < 3; k++) copy(tail + 288 + 32 * k, peephole + gate * k + whole, rest);
    cellBackPeephole(
      tail, 32, tail + 128, tail + 160, tail + 192, tail + 224, tail + 256, tail + 384, 32, tail + 288, 32, 32,
    );
  } else {
    cellBackPlain(tail, 32, tail + 128, tail + 160, tail + 192, tail + 224, tail + 256, tail + 384, 32, 32);
  }
  for (let k: usize = 0; k < 4; k++) copy(d + gate * k + whole, tail + 384 + 32 * k, rest);
  copy(dh + whole, tail + 224, rest);
  copy(dc + whole, tail + 256, rest);
}

/** Batch rows [from, to), all steps, the last one first. */
export function lstmBackward(a: LstmBackwardArgs, from: i32, to: i32): void {
  const T = a.T, N = a.N, H = a.H, R = a.R, rows = to - from;
  const gatesRow = <usize>H << 4, hRow = <usize>H << 2, outRow = <usize>R << 2;
  const scratch = scratchOf(a.scratch, from, a.chunk);
  const projected = a.weightHr != 0;
  const dh = a.dh + <usize>from * outRow;
  for (let s = T - 1; s >= 0; s--) {
    const t = a.reverse ? T - 1 - s : s;
    if (projected) {
      for (let n = from; n < to; n++) {
        const row = rowOf(a.dProjected, t, n, N, outRow);
        if (t >= lengthOf(a.lengths, n, T)) {
          memory.fill(row, 0, outRow);
          continue;
        }
        const p = a.dh + <usize>n * outRow, q = rowOf(a.dOutput, t, n, N, a.dOutputRow);
        for (let u: usize = 0; u < outRow; u += 4) f32.store(row + u, f32.load(p + u) + f32.load(q + u));
        memory.fill(p, 0, outRow);
      }
      const dProjected = rowOf(a.dProjected, t, from, N, outRow), dHidden = a.dHidden + <usize>from * hRow;
      gemm(dProjected, outRow, 4, a.weightHr, dHidden, hRow, rows, H, R, false, scratch);
    }
    for (let n = from; n < to; n++) {
      const length = lengthOf(a.lengths, n, T), dGates = rowOf(a.dGates, t, n, N, gatesRow);
      if (t >= length) {
        memory.fill(dGates, 0, gatesRow);
        continue;
      }
      cellRowBack(
        rowOf(a.gates, t, n, N, gatesRow), H, stateBefore(a.cells, a.c0, t, n, N, length, a.reverse, hRow),
        rowOf(a.cells, t, n, N, hRow), projected ? a.zeros : rowOf(a.dOutput, t, n, N, a.dOutputRow),
        projected ? a.dHidden + <usize>n * hRow : a.dh + <usize>n * hRow, a.dc + <usize>n * hRow, dGates, a.peephole,
        scratch,
      );
    }
    if (a.weightHh) gemm(rowOf(a.dGates, t, from, N, gatesRow), gatesRow, 4, a.weightHh, dh, outRow, rows, R, 4 * H, true, scratch);
  }
}

@unmanaged export class LstmPeepholeArgs {
  dGates: usize; cells: usize; c0: usize; lengths: usize; T: i32; N: i32; H: i32; reverse: i32;
  dPeephole: usize; // [3, H], added to
}

/** Units [from, to): ∂p_i += Σ ∂i·c₋₁, ∂p_f += Σ ∂f·c₋₁, ∂p_o += Σ ∂o·c, over all rows of all steps in order. */
export function lstmPeepholeBackward(a: LstmPeepholeArgs, from: i32, to: i32): void {
  const N = a.N, bytes = <usize>a.H << 2;
  for (let t = 0; t < a.T; t++) {
    for (let n = 0; n < N; n++) {
      const length = lengthOf(a.lengths, n, a.T);
      if (t >= length) continue;
      const c = rowOf(a.cells, t, n, N, bytes), d = rowOf(a.dGates, t, n, N, 4 * bytes);
      const before = stateBefore(a.cells, a.c0, t, n, N, length, a.reverse, bytes);
      for (let u = <usize>from << 2; u < <usize>to << 2; u += 4) {
        const p = a.dPeephole + u, q = p + bytes, r = q + bytes;
        f32.store(p, f32.load(p) + f32.load(d + u) * f32.load(before + u));
        f32.store(q, f32.load(q) + f32.load(d + bytes + u) * f32.load(before + u));
        f32.store(r, f32.load(r) + f32.load(d + 3 * bytes + u) * f32.load(c + u));
      }
    }
  }
}
