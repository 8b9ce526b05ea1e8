/** How well the right one of many is found. */
export interface Retrieval {
  /** The part of the queries whose answer is the first, or among the first 5 and 10. */
  recallAt1: number;
  recallAt5: number;
  recallAt10: number;
  /** Of the answers, counted from 1. */
  medianRank: number;
}

/** What ranks, counted from 1, come to. */
export function retrievalOf(ranks: readonly number[]): Retrieval {
  const within = (k: number) => ranks.filter((rank) => rank <= k).length / ranks.length;
  const sorted = [...ranks].sort((a, b) => a - b);
  const middle = (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
  return { recallAt1: within(1), recallAt5: within(5), recallAt10: within(10), medianRank: middle };
}

/**
 * Images from sentences and sentences from images: `scores[s][i]` says how well sentence s fits image i, and `imageOf[s]`
 * which is its own. An image has found its sentences when it has found one of them. Of equal scores the wrong one counts
 * as the better.
 */
export function crossRetrieval(
  scores: readonly ArrayLike<number>[],
  imageOf: readonly number[],
): { imageFromSentence: Retrieval; sentenceFromImage: Retrieval } {
  const images = scores[0]!.length;
  const ofSentences = scores.map((row, s) => {
    const own = row[imageOf[s]!]!;
    let rank = 1;
    for (let i = 0; i < images; i++) if (i !== imageOf[s] && row[i]! >= own) rank++;
    return rank;
  });
  const ofImages = Array.from({ length: images }, (_, i) => {
    let own = Number.NEGATIVE_INFINITY;
    for (const [s, row] of scores.entries()) if (imageOf[s] === i) own = Math.max(own, row[i]!);
    return 1 + scores.filter((row, s) => imageOf[s] !== i && row[i]! >= own).length;
  });
  return { imageFromSentence: retrievalOf(ofSentences), sentenceFromImage: retrievalOf(ofImages) };
}
