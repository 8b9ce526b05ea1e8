// The equations, unit by unit: a sum over x and h for each of four gates, then the gates.
import { sigmoid, tanh } from "./scalar";

export function layer(
  x: usize, wIh: usize, wHh: usize, bias: usize, gates: usize, cells: usize, output: usize, h: usize, c: usize,
  T: i32, N: i32, H: i32, scratch: usize,
): void {
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      const row = <usize>(t * N + n) * H << 2, state = <usize>(n * H) << 2;
      const g = gates + 4 * row;
      for (let j = 0; j < 4 * H; j++) {
        let sum = f32.load(bias + (<usize>j << 2));
        for (let i = 0; i < H; i++) {
          const w = <usize>(j * H + i) << 2;
          sum += f32.load(wIh + w) * f32.load(x + row + (<usize>i << 2));
          sum += f32.load(wHh + w) * f32.load(h + state + (<usize>i << 2));
        }
        f32.store(g + (<usize>j << 2), sum);
      }
      for (let u: usize = 0, gate = <usize>H << 2; u < gate; u += 4) {
        const i = sigmoid(f32.load(g + u)), f = sigmoid(f32.load(g + gate + u));
        const o = sigmoid(f32.load(g + 3 * gate + u));
        const next = f * f32.load(c + state + u) + i * tanh(f32.load(g + 2 * gate + u));
        f32.store(c + state + u, next);
        f32.store(cells + row + u, next);
        f32.store(output + row + u, o * tanh(next));
      }
      // The other units still read the h of the step before until all gates are there; rows have each their own.
      memory.copy(h + state, output + row, <usize>H << 2);
    }
  }
}
