// The gradient of Pascanu's regulariser (On the difficulty of training recurrent neural networks, 2013, eq. 9 and 10).
import { splat } from "./math";
import { slope } from "./nonlinearity";
import { sumOf } from "./reduce";
import { lengthOf, rowOf } from "./sequence";
import { loadUpTo4, storeUpTo4 } from "./vector";

/** A gradient whose squared norm is below this has vanished; as in src/ops/rnn.reference.ts. */
const GONE: f64 = 1e-30;

@unmanaged export class RnnOmegaArgs {
  output: usize; // [T, N, H], h
  da: usize; // [T, N, H], the gradients g before f
  u: usize; // [(T − 1)·N, H] in: g·W_hh of the later step of each pair, out: see below
  counted: usize; // [(T − 1)·N] out: 1 where the pair counts, 0 where there is no gradient
  lengths: usize;
  T: i32; N: i32; H: i32; reverse: i32; nonlinearity: i32;
}

/**
 * Rows [from, to) of u, each for a sequence and two neighbouring steps of it, x_k and x_{k+1} before f. With
 * v = g·W_hh ∘ f'(x_k) the pair's part of Ω is (‖v‖/‖g‖ − 1)², and its gradient with respect to W_hh is gᵀ·u for
 * u = 2 (‖v‖/‖g‖ − 1) / (‖g‖ ‖v‖) · v ∘ f'(x_k).
 */
export function rnnOmega(a: RnnOmegaArgs, from: i32, to: i32): void {
  const H = a.H, bytes = <usize>H << 2;
  for (let r = from; r < to; r++) {
    const t = r / a.N, n = r % a.N;
    const g = rowOf(a.da, a.reverse ? t : t + 1, n, a.N, bytes);
    const h = rowOf(a.output, a.reverse ? t + 1 : t, n, a.N, bytes);
    const u = a.u + <usize>r * bytes, counted = a.counted + (<usize>r << 2);
    const gg = t + 1 < lengthOf(a.lengths, n, a.T) ? sumOf(g, H, true) : 0;
    f32.store(counted, gg < GONE ? 0 : 1);
    if (gg < GONE) {
      memory.fill(u, 0, bytes);
      continue;
    }
    scaleRow(u, h, H, a.nonlinearity, 1);
    const vv = sumOf(u, H, true);
    const ratio = Math.sqrt(vv / gg);
    scaleRow(u, h, H, a.nonlinearity, vv < GONE * gg ? 0 : f32(2 * (ratio - 1) / (ratio * gg)));
  }
}

/** u ∘ f'(x) · factor, in terms of h = f(x). */
function scaleRow(u: usize, h: usize, H: i32, kind: i32, factor: f32): void {
  const scale = splat(factor);
  for (let left = H; left > 0; left -= 4, u += 16, h += 16) {
    storeUpTo4(u, f32x4.mul(f32x4.mul(loadUpTo4(u, left), slope(loadUpTo4(h, left), kind)), scale), left);
  }
}
