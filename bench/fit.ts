/** Least squares: y = c₀ + c₁x + … + c_d·x^d, and R², the part of y's variance that it explains. */
export function fit(points: readonly (readonly [x: number, y: number])[], degree: number) {
  // With x in units of its largest value the normal equations are well conditioned.
  const unit = Math.max(...points.map(([x]) => x));
  const powers = points.map(([x]) => Array.from({ length: degree + 1 }, (_, i) => (x / unit) ** i));
  const dot = (f: (row: number) => number) => points.reduce((sum, _, row) => sum + f(row), 0);
  const equations = powers[0]!.map((_, i) => [
    ...powers[0]!.map((_, j) => dot((row) => powers[row]![i]! * powers[row]![j]!)),
    dot((row) => powers[row]![i]! * points[row]![1]),
  ]);
  const scaled = solve(equations);
  const coefficients = scaled.map((c, i) => c / unit ** i);
  const at = (x: number) => coefficients.reduce((sum, c, i) => sum + c * x ** i, 0);
  const mean = dot((row) => points[row]![1]) / points.length;
  const left = dot((row) => (points[row]![1] - at(points[row]![0])) ** 2);
  const all = dot((row) => (points[row]![1] - mean) ** 2);
  return { coefficients, r2: 1 - left / all, at };
}

/** Gauss's elimination with pivots: rows of coefficients and, last, the right side. */
function solve(rows: number[][]): number[] {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    const pivot = rows.slice(column).reduce((best, row) => {
      return Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best;
    });
    rows.splice(rows.indexOf(pivot), 1, rows[column]!);
    rows[column] = pivot;
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = row[column]! / pivot[column]!;
      for (let j = column; j <= n; j++) row[j]! -= factor * pivot[j]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}
