/** A place on a curve. */
export type Point = readonly [x: number, y: number];

/**
 * A curve's moving mean over about `width` points: twice that of half as many, so that no point enters with a jump. It is
 * centred, so that it does not lag behind, and narrower at the beginning, where curves fall steeply.
 */
export function smooth(points: readonly Point[], width: number): Point[] {
  const half = Math.floor(width / 4);
  const once = movingMean(
    points.map((point) => point[1]),
    half,
  );
  const twice = movingMean(once, half);
  return points.map(([x], i) => [x, twice[i]!]);
}

function movingMean(values: readonly number[], half: number): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1)! + value);
  return values.map((_, i) => {
    const before = Math.min(half, i >> 2);
    const after = Math.min(before, values.length - 1 - i);
    return (sums[i + after + 1]! - sums[i - before]!) / (before + after + 1);
  });
}

/** The fewest points that look the same in so many columns: of each, the first, the lowest, the highest and the last. */
export function thin(points: readonly Point[], columns: number, column: (x: number) => number): Point[] {
  if (points.length <= 4 * columns) return [...points];
  const kept: Point[] = [];
  for (let from = 0; from < points.length; ) {
    const at = Math.floor(column(points[from]![0]));
    let to = from;
    let low = from;
    let high = from;
    while (to < points.length && Math.floor(column(points[to]![0])) === at) {
      if (points[to]![1] < points[low]![1]) low = to;
      if (points[to]![1] > points[high]![1]) high = to;
      to++;
    }
    const indices = new Set([from, Math.min(low, high), Math.max(low, high), to - 1]);
    for (const index of indices) kept.push(points[index]!);
    from = to;
  }
  return kept;
}
