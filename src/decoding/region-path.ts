/**
 * The regions that words belong to, so that neighbouring words rather have the same one: the path a that maximises
 * Σ_t scores[t][a_t] + β·Σ_t [a_t = a_{t−1}], by Viterbi's algorithm (Karpathy & Fei-Fei 2015, eq. 9). Of equal paths the one
 * that stays, then the first region.
 */
export function regionPath(scores: readonly ArrayLike<number>[], beta: number): number[] {
  if (scores.length === 0) return [];
  const regions = scores[0]!.length;
  let best = Float64Array.from(scores[0]!);
  const cameFrom: Int32Array[] = [];
  for (const row of scores.slice(1)) {
    const top = best.indexOf(best.reduce((a, b) => Math.max(a, b)));
    const from = new Int32Array(regions);
    const next = new Float64Array(regions);
    for (let r = 0; r < regions; r++) {
      const stays = best[r]! + beta >= best[top]!;
      from[r] = stays ? r : top;
      next[r] = row[r]! + (stays ? best[r]! + beta : best[top]!);
    }
    cameFrom.push(from);
    best = next;
  }
  const path = [best.indexOf(best.reduce((a, b) => Math.max(a, b)))];
  for (const from of cameFrom.reverse()) path.unshift(from[path[0]!]!);
  return path;
}
