// Vectors of four at the ragged end of an array: it goes through the same vector code as the rest, so that an element's
// bits do not depend on where it stands.

/** The first `n` (1 to 4, or more) lanes from memory, the others 0. */
@inline export function loadUpTo4(p: usize, n: i32): v128 {
  return n >= 4 ? v128.load(p) : loadTail(p, n);
}

/** Stores the first `n` (1 to 4, or more) lanes. */
@inline export function storeUpTo4(p: usize, v: v128, n: i32): void {
  if (n >= 4) v128.store(p, v);
  else storeTail(p, v, n);
}

/** The first `n` (1 to 3) lanes from memory, the others 0. */
export function loadTail(p: usize, n: i32): v128 {
  let v = v128.load32_zero(p);
  if (n > 1) v = v128.load32_lane(p + 4, v, 1);
  if (n > 2) v = v128.load32_lane(p + 8, v, 2);
  return v;
}

export function storeTail(p: usize, v: v128, n: i32): void {
  v128.store32_lane(p, v, 0);
  if (n > 1) v128.store32_lane(p + 4, v, 1);
  if (n > 2) v128.store32_lane(p + 8, v, 2);
}

/** All ones in the first `n` (0 to 4, or more) lanes. */
@inline export function firstLanes(n: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(n));
}

/** The two low lanes, and the two high ones, in double precision. */
@inline export function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

@inline export function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 0, 1));
}
