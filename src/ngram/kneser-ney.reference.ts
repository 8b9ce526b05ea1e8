/**
 * Modified Kneser–Ney as it is written in Chen and Goodman (1998): n-grams as strings in maps, the recursion as a
 * recursion. Slow, and made to be read beside the paper.
 */
export function referenceModel(
  sentences: readonly (readonly string[])[],
  order: number,
  vocabulary: string[],
) {
  /** c(·) of every n-gram of each order. */
  const counts = Array.from({ length: order + 1 }, () => new Map<string, number>());
  for (const sentence of sentences) {
    const words = ["<s>", ...sentence];
    for (let n = 1; n <= order; n++) {
      for (let i = 0; i + n <= words.length; i++) {
        const ngram = words.slice(i, i + n).join(" ");
        counts[n]!.set(ngram, (counts[n]!.get(ngram) ?? 0) + 1);
      }
    }
  }
  counts[1]!.delete("<s>");

  /** For orders below the highest: N1+(· w1 … wn), unless w1 is `<s>`, which nothing precedes. */
  const adjusted = counts.map((ngrams, n) => {
    if (n === order) return ngrams;
    const after = new Map<string, Set<string>>();
    for (const longer of counts[n + 1]!.keys()) {
      const [first, ...rest] = longer.split(" ");
      const ngram = rest.join(" ");
      if (!after.has(ngram)) after.set(ngram, new Set());
      after.get(ngram)!.add(first!);
    }
    return new Map(
      [...ngrams].map(([ngram, c]) => [ngram, ngram.split(" ")[0] === "<s>" ? c : after.get(ngram)!.size]),
    );
  });

  const discounts = adjusted.map((ngrams) => {
    const ofCount = (k: number) => [...ngrams.values()].filter((c) => c === k).length;
    const Y = ofCount(1) / (ofCount(1) + 2 * ofCount(2));
    const D = [1, 2, 3].map((k) => k - ((k + 1) * Y * ofCount(k + 1)) / ofCount(k));
    return D.every((d, i) => d > 0 && d <= i + 1) ? D : [0.5, 1, 1.5];
  });

  /** P(word | context), context of at most order − 1 words. */
  function probability(word: string, context: readonly string[]): number {
    const n = context.length + 1;
    const lower = () => (n === 1 ? 1 / vocabulary.length : probability(word, context.slice(1)));
    const followers = vocabulary
      .map((w) => adjusted[n]!.get([...context, w].join(" ")) ?? 0)
      .filter((c) => c > 0);
    const sum = followers.reduce((a, b) => a + b, 0);
    if (sum === 0) return lower();
    const D = (c: number) => discounts[n]![Math.min(c, 3) - 1]!;
    const c = adjusted[n]!.get([...context, word].join(" ")) ?? 0;
    const gamma = followers.map(D).reduce((a, b) => a + b, 0) / sum;
    return (c > 0 ? c - D(c) : 0) / sum + gamma * lower();
  }
  return { probability, discounts: discounts.slice(1) };
}
