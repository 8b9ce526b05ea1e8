/** The outcome that u in [0, 1) falls on, of n whose probabilities stand from `at` on. */
export function fallsOn(p: Float32Array | Float64Array, at: number, n: number, u: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += p[at + i]!;
    if (u < sum) return i;
  }
  // Rounding: they add up to a little less than 1.
  let last = n - 1;
  while (last > 0 && p[at + last] === 0) last--;
  return last;
}
