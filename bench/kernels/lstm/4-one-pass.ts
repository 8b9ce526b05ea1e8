// All that happens to a unit in one pass: its gates are read once and written once.
import { madd, sigmoid4, tanh4 } from "../../../assembly/math";
import { addState, begin } from "./packing";

export function layer(
  x: usize, wIh: usize, wHh: usize, bias: usize, gates: usize, cells: usize, output: usize, h: usize, c: usize,
  T: i32, N: i32, H: i32, scratch: usize,
): void {
  const packedHh = begin(x, wIh, wHh, bias, gates, T, N, H, scratch);
  const bytes = <usize>H << 2;
  for (let t = 0; t < T; t++) {
    addState(h, packedHh, gates + <usize>(t * N) * 4 * bytes, N, H, scratch);
    for (let n = 0; n < N; n++) {
      const row = <usize>(t * N + n) * bytes, state = <usize>n * bytes;
      cell(gates + 4 * row, bytes, c + state, cells + row, output + row, h + state);
    }
  }
}

function cell(g: usize, gate: usize, c: usize, cells: usize, out: usize, h: usize): void {
  for (let u: usize = 0; u < gate; u += 16) {
    const pi = g + u, pf = pi + gate, pg = pf + gate, po = pg + gate;
    const i = sigmoid4(v128.load(pi)), f = sigmoid4(v128.load(pf)), o = sigmoid4(v128.load(po));
    const candidate = tanh4(v128.load(pg));
    const next = madd(f, v128.load(c + u), f32x4.mul(i, candidate)), y = f32x4.mul(o, tanh4(next));
    v128.store(pi, i);
    v128.store(pf, f);
    v128.store(pg, candidate);
    v128.store(po, o);
    v128.store(c + u, next);
    v128.store(cells + u, next);
    v128.store(out + u, y);
    v128.store(h + u, y);
  }
}
