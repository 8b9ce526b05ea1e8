// Filling, copying, adding: the kernels every op leans on.
import { madd, splat } from "./math";
import { loadUpTo4, storeUpTo4 } from "./vector";

@unmanaged export class FillArgs { out: usize; value: f32 }

/** out[i] = value, for i in [from, to) */
export function fill(a: FillArgs, from: i32, to: i32): void {
  if (a.value == 0) {
    memory.fill(a.out + (<usize>from << 2), 0, <usize>(to - from) << 2);
    return;
  }
  const v = splat(a.value);
  let i = from;
  for (; i + 4 <= to; i += 4) v128.store(a.out + (<usize>i << 2), v);
  for (; i < to; i++) f32.store(a.out + (<usize>i << 2), a.value);
}

@unmanaged export class AxpyArgs { x: usize; out: usize; alpha: f32 }

/** out[i] += alpha·x[i], for i in [from, to) */
export function axpy(a: AxpyArgs, from: i32, to: i32): void {
  const alpha = splat(a.alpha);
  let p = a.x + (<usize>from << 2), q = a.out + (<usize>from << 2);
  const end = p + (<usize>(to - from) << 2);
  for (; p + 16 <= end; p += 16, q += 16) v128.store(q, madd(alpha, v128.load(p), v128.load(q)));
  for (; p < end; p += 4, q += 4) {
    f32.store(q, f32x4.extract_lane(madd(alpha, splat(f32.load(p)), splat(f32.load(q))), 0));
  }
}

@unmanaged export class ScaleArgs { x: usize; out: usize; factor: f32 }

/** out[i] = factor·x[i], for i in [from, to); x may be out */
export function scale(a: ScaleArgs, from: i32, to: i32): void {
  const factor = splat(a.factor);
  let x = a.x + (<usize>from << 2), out = a.out + (<usize>from << 2);
  for (let n = to - from; n > 0; n -= 4, x += 16, out += 16) {
    storeUpTo4(out, f32x4.mul(factor, loadUpTo4(x, n)), n);
  }
}
