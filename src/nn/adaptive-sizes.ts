/** What an adaptive softmax is of. */
export interface AdaptiveSizes {
  inFeatures: number;
  vocabularySize: number;
  /** The first word of each cluster but the head, in order: [2000, 10000]. */
  cutoffs: readonly number[];
}

/** What each feature after the head is divided by, cluster by cluster (PyTorch's default). */
const DIVISOR = 4;

/** How many words each cluster after the head has, and of how many features. */
export function tailsOf({
  inFeatures,
  vocabularySize,
  cutoffs,
}: AdaptiveSizes): { size: number; width: number }[] {
  return cutoffs.map((from, k) => ({
    size: (cutoffs[k + 1] ?? vocabularySize) - from,
    width: Math.max(1, Math.floor(inFeatures / DIVISOR ** (k + 1))),
  }));
}

/** How many weights it has. */
export function countOfAdaptive(sizes: AdaptiveSizes): number {
  const { inFeatures, cutoffs } = sizes;
  const tails = tailsOf(sizes).reduce((sum, { size, width }) => sum + width * (inFeatures + size), 0);
  return inFeatures * (cutoffs[0]! + cutoffs.length) + tails;
}
