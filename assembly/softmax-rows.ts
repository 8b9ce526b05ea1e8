// Passes over one row of logits, which softmax and its kin are made of. A row is read in blocks that stay in the
// first-level cache, and its sums are carried from block to block in double precision. Where a loop ends in a pair of
// sums, these are also stored, to eight floats of scratch: V8's revectoriser starts from stores.
import { constant, exp4, ln, madd, splat, sum4 } from "./math";
import { firstLanes, loadUpTo4, storeUpTo4 } from "./vector";

export const BLOCK: i32 = 1024;

/** e^x for x ≤ 0, 0 from −87 down. */
@inline export function decay(x: v128): v128 {
  return v128.andnot(exp4(x), f32x4.lt(x, constant(-87)));
}

/** The row's next vector; lanes past its end hold −∞. */
@inline function loadLogits(x: usize, n: i32): v128 {
  if (n >= 4) return v128.load(x);
  return v128.bitselect(loadUpTo4(x, n), splat(-Infinity), firstLanes(n));
}

/** The largest of n logits. NaN does not count; it shows in the sum. */
export function largest(x: usize, n: i32, scratch: usize): f32 {
  let a = splat(-Infinity), b = a;
  for (; n >= 8; n -= 8, x += 32) {
    a = f32x4.pmax(a, v128.load(x));
    b = f32x4.pmax(b, v128.load(x, 16));
  }
  v128.store(scratch, a);
  v128.store(scratch, b, 16);
  for (; n > 0; n -= 4, x += 16) a = f32x4.pmax(a, loadLogits(x, n));
  a = f32x4.pmax(a, b);
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)), max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
}

/** Σ e^(x − shift) */
function sumOfPowers(x: usize, n: i32, top: f32, scratch: usize): f32 {
  const shift = splat(top);
  let a = splat(0), b = a;
  for (; n >= 8; n -= 8, x += 32) {
    const low = v128.load(x), high = v128.load(x, 16);
    a = f32x4.add(a, decay(f32x4.sub(low, shift)));
    b = f32x4.add(b, decay(f32x4.sub(high, shift)));
  }
  v128.store(scratch, a);
  v128.store(scratch, b, 16);
  for (; n > 0; n -= 4, x += 16) a = f32x4.add(a, decay(f32x4.sub(loadLogits(x, n), shift)));
  return sum4(f32x4.add(a, b));
}

// What scanRow found. A module's variables are each thread's own.
export let top: f32 = 0;
export let total: f64 = 0;

/** top = max x, total = Σ e^(x − top), in one pass: what was summed so far shrinks when the maximum grows. */
export function scanRow(x: usize, n: i32, scratch: usize): void {
  top = -Infinity;
  total = 0;
  for (; n > 0; n -= BLOCK, x += BLOCK << 2) {
    const length = min(n, BLOCK), here = largest(x, length, scratch);
    if (here > top) {
      total *= f32x4.extract_lane(decay(splat(top - here)), 0);
      top = here;
    }
    // −∞ less −∞ is NaN: a block of nothing else adds 0.
    total += sumOfPowers(x, length, max(top, -f32.MAX_VALUE), scratch);
  }
}

/** Σ x, or Σ x·y where y is given */
export function sumOfRow(x: usize, y: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (; n > 0; n -= BLOCK) {
    let a = splat(0), b = a, left = min(n, BLOCK);
    for (; left >= 8; left -= 8, x += 32) {
      const low = v128.load(x), high = v128.load(x, 16);
      a = y ? madd(low, v128.load(y), a) : f32x4.add(low, a);
      b = y ? madd(high, v128.load(y, 16), b) : f32x4.add(high, b);
      if (y) y += 32;
    }
    for (; left > 0; left -= 4, x += 16) {
      const v = loadUpTo4(x, left);
      a = y ? madd(v, loadUpTo4(y, left), a) : f32x4.add(v, a);
      if (y) y += 16;
    }
    sum += sum4(f32x4.add(a, b));
  }
  return sum;
}

/** y = e^x / Σ eˣ; y may be x. Returns ln Σ eˣ. */
export function softmaxRow(x: usize, y: usize, width: i32, scratch: usize): f64 {
  let n = width, out = y;
  const most = largest(x, n, scratch), shift = splat(most);
  for (; n >= 8; n -= 8, x += 32, out += 32) {
    const low = v128.load(x), high = v128.load(x, 16);
    const e = decay(f32x4.sub(low, shift)), f = decay(f32x4.sub(high, shift));
    v128.store(out, e);
    v128.store(out, f, 16);
  }
  for (; n > 0; n -= 4, x += 16, out += 16) storeUpTo4(out, decay(f32x4.sub(loadUpTo4(x, n), shift)), n);
  const sum = sumOfRow(y, 0, width), scale = splat(f32(1 / sum));
  for (n = width; n > 0; n -= 4, y += 16) storeUpTo4(y, f32x4.mul(scale, loadUpTo4(y, n)), n);
  return f64(most) + ln(sum);
}
