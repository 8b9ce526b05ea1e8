// Dropout with a counter-based mask: whether unit u of batch row n at time t falls depends on (seed, stream, step, t, n, u)
// alone. 16 units are drawn at a time, and their 16 bits kept for backward.
import { madd, splat } from "./math";
import { philox4, random0, random1, random2, random3 } from "./random";
import { loadUpTo4, storeUpTo4 } from "./vector";

@unmanaged export class DropoutArgs {
  x: usize; y: usize; mask: usize; width: i32; batch: i32; key0: i32; key1: i32; step: i32; firstTime: i32; firstRow: i32;
  timeScale: i32; threshold: i32; scale: f32
}

/** y = scale·x where the unit's random word is not below the threshold, else 0; a unit of work is a row (t, n) */
export function dropoutForward(a: DropoutArgs, from: i32, to: i32): void {
  const groups = (a.width + 15) / 16, scale = splat(a.scale);
  const step = i32x4.splat(a.step);
  for (let row = from; row < to; row++) {
    const time = i32x4.splat(a.firstTime + a.timeScale * (row / a.batch));
    const batchRow = i32x4.splat(a.firstRow + row % a.batch);
    let x = a.x + (<usize>row * a.width << 2), y = a.y + (<usize>row * a.width << 2);
    for (let g = 0, left = a.width; g < groups; g++, left -= 16, x += 64, y += 64) {
      philox4(step, time, batchRow, i32x4.add(i32x4.splat(g << 2), i32x4(0, 1, 2, 3)), a.key0, a.key1);
      const threshold = i32x4.splat(a.threshold);
      const k0 = i32x4.ge_u(random0, threshold), k1 = i32x4.ge_u(random1, threshold);
      const k2 = i32x4.ge_u(random2, threshold), k3 = i32x4.ge_u(random3, threshold);
      // From words of blocks to units in order: a 4×4 transposition.
      const p = v128.shuffle<i32>(k0, k1, 0, 4, 1, 5), q = v128.shuffle<i32>(k2, k3, 0, 4, 1, 5);
      const r = v128.shuffle<i32>(k0, k1, 2, 6, 3, 7), s = v128.shuffle<i32>(k2, k3, 2, 6, 3, 7);
      const m0 = v128.shuffle<i32>(p, q, 0, 1, 4, 5), m1 = v128.shuffle<i32>(p, q, 2, 3, 6, 7);
      const m2 = v128.shuffle<i32>(r, s, 0, 1, 4, 5), m3 = v128.shuffle<i32>(r, s, 2, 3, 6, 7);
      const bits = i32x4.bitmask(m0) | i32x4.bitmask(m1) << 4 | i32x4.bitmask(m2) << 8 | i32x4.bitmask(m3) << 12;
      i32.store16(a.mask + (<usize>(row * groups + g) << 1), bits);
      if (left >= 16) {
        v128.store(y, v128.and(m0, f32x4.mul(scale, v128.load(x))));
        v128.store(y, v128.and(m1, f32x4.mul(scale, v128.load(x, 16))), 16);
        v128.store(y, v128.and(m2, f32x4.mul(scale, v128.load(x, 32))), 32);
        v128.store(y, v128.and(m3, f32x4.mul(scale, v128.load(x, 48))), 48);
      } else {
        for (let i = 0; i < left; i += 4) {
          const m = keptLanes(bits >> i);
          storeUpTo4(y + (i << 2), v128.and(m, f32x4.mul(scale, loadUpTo4(x + (i << 2), left - i))), left - i);
        }
      }
    }
  }
}

/** All ones in the lanes of the low four bits that are set. */
@inline function keptLanes(bits: i32): v128 {
  const lane = i32x4(1, 2, 4, 8);
  return i32x4.eq(v128.and(i32x4.splat(bits), lane), lane);
}

@unmanaged export class DropoutBackwardArgs { mask: usize; dy: usize; dx: usize; width: i32; scale: f32 }

/** dx += scale·dy where the unit stayed; a unit of work is a row */
export function dropoutBackward(a: DropoutBackwardArgs, from: i32, to: i32): void {
  const groups = (a.width + 15) / 16, scale = splat(a.scale);
  for (let row = from; row < to; row++) {
    let dy = a.dy + (<usize>row * a.width << 2), dx = a.dx + (<usize>row * a.width << 2);
    for (let g = 0, left = a.width; g < groups; g++, left -= 16, dy += 64, dx += 64) {
      const bits = i32.load16_u(a.mask + (<usize>(row * groups + g) << 1));
      if (left >= 16) {
        addKept(dy, dx, scale, bits);
        addKept(dy + 16, dx + 16, scale, bits >> 4);
        addKept(dy + 32, dx + 32, scale, bits >> 8);
        addKept(dy + 48, dx + 48, scale, bits >> 12);
      } else {
        for (let i = 0; i < left; i += 4) {
          const kept = v128.and(scale, keptLanes(bits >> i)), at = <usize>i << 2;
          storeUpTo4(dx + at, madd(kept, loadUpTo4(dy + at, left - i), loadUpTo4(dx + at, left - i)), left - i);
        }
      }
    }
  }
}

@inline function addKept(dy: usize, dx: usize, scale: v128, bits: i32): void {
  v128.store(dx, madd(v128.and(scale, keptLanes(bits)), v128.load(dy), v128.load(dx)));
}
