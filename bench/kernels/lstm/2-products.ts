// The sums are two products: x with W_ih for all steps at once, h with W_hh in each step. The gates one number at a time.
import { addState, begin } from "./packing";
import { sigmoid, tanh } from "./scalar";

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
  for (let u: usize = 0; u < gate; u += 4) {
    const i = sigmoid(f32.load(g + u)), f = sigmoid(f32.load(g + gate + u)), o = sigmoid(f32.load(g + 3 * gate + u));
    const next = f * f32.load(c + u) + i * tanh(f32.load(g + 2 * gate + u));
    f32.store(c + u, next);
    f32.store(cells + u, next);
    f32.store(out + u, o * tanh(next));
    f32.store(h + u, o * tanh(next));
  }
}
