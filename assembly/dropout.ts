// Dropout with a counter-based mask: whether unit u of batch row n at time t falls depends on (seed, stream, step, t, n, u)
// alone. 32 units are drawn at a time, and their bits kept for backward.
import { madd, splat } from "./math";
import { drawBits } from "./random";
import { loadUpTo4, storeUpTo4 } from "./vector";

/** All ones in the lanes that stay, of the q-th four of the 32 units whose bits these are. */
@inline function kept(bits: i32, q: i32): v128 {
  const lane = i32x4(1, 16, 256, 4096);
  return i32x4.eq(v128.and(i32x4.splat(bits >> ((q & 4) << 2 | q & 3)), lane), lane);
}

@unmanaged export class DropoutArgs {
  x: usize; y: usize; mask: usize; width: i32; batch: i32; keys: usize; step: i32; firstTime: i32; firstRow: i32;
  timeScale: i32; threshold: i32; scale: f32
}

/** y = scale·x where the unit's random word is not below the threshold, else 0; a unit of work is a row (t, n) */
export function dropoutForward(a: DropoutArgs, from: i32, to: i32): void {
  const groups = (a.width + 31) / 32, scale = splat(a.scale);
  for (let row = from; row < to; row++) {
    const time = a.firstTime + a.timeScale * (row / a.batch), batchRow = a.firstRow + row % a.batch;
    let x = a.x + (<usize>row * a.width << 2), y = a.y + (<usize>row * a.width << 2);
    for (let g = 0, left = a.width; g < groups; g++, left -= 32) {
      const bits = drawBits(a.step, time, batchRow, g << 3, a.keys, a.threshold);
      i32.store(a.mask + (<usize>(row * groups + g) << 2), bits);
      for (let q = 0, n = min(left, 32); n > 0; q++, n -= 4, x += 16, y += 16) {
        storeUpTo4(y, v128.and(kept(bits, q), f32x4.mul(scale, loadUpTo4(x, n))), n);
      }
    }
  }
}

@unmanaged export class DropoutBackwardArgs { mask: usize; dy: usize; dx: usize; width: i32; scale: f32 }

/** dx += scale·dy where the unit stayed; a unit of work is a row */
export function dropoutBackward(a: DropoutBackwardArgs, from: i32, to: i32): void {
  const groups = (a.width + 31) / 32, scale = splat(a.scale);
  for (let row = from; row < to; row++) {
    let dy = a.dy + (<usize>row * a.width << 2), dx = a.dx + (<usize>row * a.width << 2);
    for (let g = 0, left = a.width; g < groups; g++, left -= 32) {
      const bits = i32.load(a.mask + (<usize>(row * groups + g) << 2));
      for (let q = 0, n = min(left, 32); n > 0; q++, n -= 4, dy += 16, dx += 16) {
        storeUpTo4(dx, madd(v128.and(kept(bits, q), scale), loadUpTo4(dy, n), loadUpTo4(dx, n)), n);
      }
    }
  }
}
