// Elementary functions on four float32 lanes. The relaxed build fuses multiply and add; the plain build rounds twice.

@inline export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** The same for a number known beforehand. The build makes it a load, see scripts/build.ts: much the faster. */
@inline export function constant(x: f32): v128 {
  return f32x4.splat(x);
}

/** a·b + c */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c − a·b */
@inline export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/**
 * e^x: x = n·ln 2 + r, a degree-5 polynomial in r (Cephes expf), then n into the exponent. Relative error 2e-7. Adding
 * 1.5·2²³ + 127 rounds to a whole number n and leaves n + 127 in the low bits, which the shift brings to the exponent.
 */
@inline export function exp4(x: v128): v128 {
  const magic = constant(12583039);
  x = f32x4.pmax(f32x4.pmin(x, constant(88.0)), constant(-87.0));
  const shifted = madd(x, constant(1.4426950408889634), magic);
  const n = f32x4.sub(shifted, magic);
  let r = nmadd(n, constant(0.693359375), x);
  r = nmadd(n, constant(-2.12194440e-4), r);
  let p = constant(1.9875691500e-4);
  p = madd(p, r, constant(1.3981999507e-3));
  p = madd(p, r, constant(8.3334519073e-3));
  p = madd(p, r, constant(4.1665795894e-2));
  p = madd(p, r, constant(1.6666665459e-1));
  p = madd(p, r, constant(5.0000001201e-1));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, constant(1)));
  return f32x4.mul(p, i32x4.shl(shifted, 23));
}

/**
 * ln x: x = 2^n·m with m in [√½, √2), a degree-9 polynomial in m − 1 (Cephes logf). Relative error 1e-7; −∞ at 0, NaN
 * below. Subnormal numbers are scaled up first.
 */
@inline export function log4(x: v128): v128 {
  const small = f32x4.lt(x, constant(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, constant(8388608)), x, small);
  const half = i32x4.sub(scaled, i32x4.splat(0x3f3504f3)); // bits above √½
  const n = f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(half, 23)), v128.and(constant(23), small));
  const m = i32x4.add(v128.and(half, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(m, constant(1));
  const z = f32x4.mul(f, f);
  let p = constant(7.0376836292e-2);
  p = madd(p, f, constant(-1.1514610310e-1));
  p = madd(p, f, constant(1.1676998740e-1));
  p = madd(p, f, constant(-1.2420140846e-1));
  p = madd(p, f, constant(1.4249322787e-1));
  p = madd(p, f, constant(-1.6668057665e-1));
  p = madd(p, f, constant(2.0000714765e-1));
  p = madd(p, f, constant(-2.4999993993e-1));
  p = madd(p, f, constant(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, f), z);
  y = madd(n, constant(-2.12194440e-4), y);
  y = nmadd(constant(0.5), z, y);
  y = madd(n, constant(0.693359375), f32x4.add(f, y));
  y = v128.bitselect(splat(-Infinity), y, f32x4.eq(x, constant(0)));
  y = v128.bitselect(x, y, f32x4.eq(x, splat(Infinity)));
  return v128.bitselect(splat(NaN), y, v128.or(f32x4.lt(x, constant(0)), f32x4.ne(x, x)));
}

@inline export function sigmoid4(x: v128): v128 {
  return f32x4.div(constant(1), f32x4.add(constant(1), exp4(f32x4.neg(x))));
}

/** tanh x = x·P(x²)/Q(x²) for |x| ≤ 9, a minimax fit; ±1 beyond. Relative error 3e-7, small x included. */
@inline export function tanh4(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, constant(9)), constant(-9));
  const z = f32x4.mul(x, x);
  let p = constant(1.825699082e-11);
  p = madd(p, z, constant(-1.278124870e-8));
  p = madd(p, z, constant(9.267729761e-6));
  p = madd(p, z, constant(2.920798816e-3));
  p = madd(p, z, constant(1.291926407e-1));
  p = madd(p, z, constant(9.999999413e-1));
  let q = constant(2.281051225e-4);
  q = madd(q, z, constant(2.376332371e-2));
  q = madd(q, z, constant(4.625254802e-1));
  q = madd(q, z, constant(1));
  const y = f32x4.div(f32x4.mul(x, p), q);
  return f32x4.pmax(f32x4.pmin(y, constant(1)), constant(-1));
}

/** Sum of the four lanes, always in this order. */
@inline export function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** ln x of a positive, normal double: x = 2^n·m with m in [√½, √2), the series of atanh; relative error 1e-12. */
export function ln(x: f64): f64 {
  const half: i64 = 0x3fe6a09e667f3bcd; // the bits of √½
  const bits = reinterpret<i64>(x) - half;
  const m = reinterpret<f64>((bits & 0xfffffffffffff) + half);
  const t = (m - 1) / (m + 1), z = t * t;
  let p: f64 = 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  return f64(bits >> 52) * 0.6931471805599453 + 2 * (t + t * z * p);
}
