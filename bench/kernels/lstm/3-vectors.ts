// Four numbers at a time, each operation in a pass of its own, as a library of general operations has it.
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
  const pg = g + 2 * gate, po = pg + gate;
  for (let u: usize = 0; u < 2 * gate; u += 16) v128.store(g + u, sigmoid4(v128.load(g + u)));
  for (let u: usize = 0; u < gate; u += 16) v128.store(pg + u, tanh4(v128.load(pg + u)));
  for (let u: usize = 0; u < gate; u += 16) v128.store(po + u, sigmoid4(v128.load(po + u)));
  for (let u: usize = 0; u < gate; u += 16) v128.store(c + u, f32x4.mul(v128.load(c + u), v128.load(g + gate + u)));
  for (let u: usize = 0; u < gate; u += 16) v128.store(c + u, madd(v128.load(g + u), v128.load(pg + u), v128.load(c + u)));
  for (let u: usize = 0; u < gate; u += 16) v128.store(out + u, tanh4(v128.load(c + u)));
  for (let u: usize = 0; u < gate; u += 16) v128.store(out + u, f32x4.mul(v128.load(po + u), v128.load(out + u)));
  memory.copy(h, out, gate);
  memory.copy(cells, c, gate);
}
