// Element by element. Tails of fewer than four go through the same vector code, so that they have the same bits.
import { tanh4 } from "./math";

/** The first `n` (1 to 3) lanes from memory, the others 0. */
@inline export function loadTail(p: usize, n: i32): v128 {
  let v = v128.load32_zero(p);
  if (n > 1) v = v128.load32_lane(p + 4, v, 1);
  if (n > 2) v = v128.load32_lane(p + 8, v, 2);
  return v;
}

@inline export function storeTail(p: usize, v: v128, n: i32): void {
  v128.store32_lane(p, v, 0);
  if (n > 1) v128.store32_lane(p + 4, v, 1);
  if (n > 2) v128.store32_lane(p + 8, v, 2);
}

@unmanaged export class UnaryArgs { x: usize; out: usize }

export function tanhForward(a: UnaryArgs, from: i32, to: i32): void {
  let x = a.x + (<usize>from << 2), y = a.out + (<usize>from << 2), n = to - from;
  for (; n >= 4; n -= 4, x += 16, y += 16) v128.store(y, tanh4(v128.load(x)));
  if (n) storeTail(y, tanh4(loadTail(x, n)), n);
}

@unmanaged export class UnaryBackwardArgs { y: usize; dy: usize; dx: usize }

/** dx += dy·(1 − y²) */
export function tanhBackward(a: UnaryBackwardArgs, from: i32, to: i32): void {
  let y = a.y + (<usize>from << 2), dy = a.dy + (<usize>from << 2), dx = a.dx + (<usize>from << 2), n = to - from;
  const one = f32x4.splat(1);
  for (; n >= 4; n -= 4, y += 16, dy += 16, dx += 16) {
    const v = v128.load(y);
    v128.store(dx, f32x4.add(v128.load(dx), f32x4.mul(v128.load(dy), f32x4.sub(one, f32x4.mul(v, v)))));
  }
  if (n) {
    const v = loadTail(y, n);
    const d = f32x4.add(loadTail(dx, n), f32x4.mul(loadTail(dy, n), f32x4.sub(one, f32x4.mul(v, v))));
    storeTail(dx, d, n);
  }
}
