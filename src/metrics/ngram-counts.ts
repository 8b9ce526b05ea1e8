/** How often each n-gram of the orders 1 … most occurs, by order. */
export function ngramCounts(symbols: readonly string[], most: number, joint = ""): Map<string, number>[] {
  return Array.from({ length: most }, (_, k) => {
    const counts = new Map<string, number>();
    for (let i = 0; i + k < symbols.length; i++) {
      const ngram = k === 0 ? symbols[i]! : symbols.slice(i, i + k + 1).join(joint);
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
    return counts;
  });
}

/** How many n-grams of one are in the other, each at most as often as there. */
export function matches(counts: ReadonlyMap<string, number>, others: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [ngram, count] of counts) sum += Math.min(count, others.get(ngram) ?? 0);
  return sum;
}
