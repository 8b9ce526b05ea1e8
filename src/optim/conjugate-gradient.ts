/** A solution on the way, and φ there. */
export interface Iterate {
  x: Float64Array;
  value: number;
}

export interface ConjugateGradientOptions {
  maxIterations: number;
  /** Ends when the last iterations, a tenth of all and 10 at least, brought φ down by less than this part of it each. */
  tolerance?: number;
}

/** Solutions are kept at iterations that are this factor apart. */
const SPACING = 1.3;

/**
 * Minimises φ(x) = ½ xᵀAx − bᵀx, A positive definite and known by its products, from x on (Hestenes & Stiefel 1952). Gives
 * what it came by, the best last: an early one may generalise better (Martens 2010, §4.4 and §4.6).
 */
export function conjugateGradient(
  product: (v: Float64Array) => Float64Array,
  b: Float64Array,
  start: Float64Array,
  { maxIterations, tolerance = 5e-4 }: ConjugateGradientOptions,
): Iterate[] {
  const x = start.slice();
  const kept: Iterate[] = [];
  const values: number[] = [];
  // r = Ax − b, the gradient of φ.
  const r = product(x);
  for (let i = 0; i < r.length; i++) r[i]! -= b[i]!;
  const p = r.map((value) => -value);
  let rr = dot(r, r);
  let keepAt = 1;
  for (let k = 1; k <= maxIterations && rr > 0; k++) {
    const Ap = product(p);
    const curvature = dot(p, Ap);
    // Rounding, or a matrix that is none: nothing more to be had in this direction.
    if (!(curvature > 0)) break;
    const alpha = rr / curvature;
    for (let i = 0; i < x.length; i++) {
      x[i]! += alpha * p[i]!;
      r[i]! += alpha * Ap[i]!;
    }
    const next = dot(r, r);
    const beta = next / rr;
    for (let i = 0; i < p.length; i++) p[i] = beta * p[i]! - r[i]!;
    rr = next;
    const value = 0.5 * (dot(x, r) - dot(x, b));
    values.push(value);
    const back = Math.max(10, Math.ceil(k / 10));
    const before = values[k - 1 - back];
    const done =
      k === maxIterations ||
      (before !== undefined && value < 0 && (value - before) / value < back * tolerance);
    if (done || k === Math.ceil(keepAt)) {
      kept.push({ x: x.slice(), value });
      while (Math.ceil(keepAt) <= k) keepAt *= SPACING;
    }
    if (done) break;
  }
  return kept;
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
