/**
 * N-grams as a trie, level by level: node 0 is the empty one, nodes 1 … V + 1 are the words and `<s>` (word V), then come
 * the pairs, the triples, and so on, each level in the order of its words. The children of one node stand together, and
 * those of the next node follow, so that one array says where they begin.
 */
export interface Trie {
  /** How many different words may be predicted: V, `<s>` not among them. */
  readonly vocabularySize: number;
  /** How many n-grams there are of each order, `<s>` among those of order 1. */
  readonly sizes: readonly number[];
  /** The last word of each node; −1 of node 0. */
  readonly words: Int32Array;
  /** Where the children of each node begin that may have any, that is below the highest order; then the end. */
  readonly first: Int32Array;
}

/** Where the nodes of each order begin; order 0 is the empty n-gram. The last entry is their number. */
export function levels(sizes: readonly number[]): number[] {
  const starts = [0, 1];
  for (const size of sizes) starts.push(starts.at(-1)! + size);
  return starts;
}

/** The child of a node, or 0. */
export function findChild(
  { words, first }: Pick<Trie, "words" | "first">,
  node: number,
  word: number,
): number {
  if (node === 0) return 1 + word;
  let low = first[node]!;
  let high = first[node + 1]! - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = words[middle]!;
    if (found === word) return middle;
    if (found < word) low = middle + 1;
    else high = middle - 1;
  }
  return 0;
}

/**
 * For each of the first `count` nodes, the n-gram without its first word; where that one is missing, as it may be in a
 * pruned model, the longest ending there is.
 */
export function linkSuffixes(trie: Trie, count: number): Int32Array {
  const { words, first } = trie;
  const suffixes = new Int32Array(count);
  const pairs = 1 + trie.sizes[0]!;
  for (let parent = 1, node = pairs; node < count; parent++) {
    for (const end = Math.min(first[parent + 1]!, count); node < end; node++) {
      let context = suffixes[parent]!;
      let suffix = findChild(trie, context, words[node]!);
      while (suffix === 0) {
        context = suffixes[context]!;
        suffix = findChild(trie, context, words[node]!);
      }
      suffixes[node] = suffix;
    }
  }
  return suffixes;
}

/** Sorts items by `keys[item + offset]`, whole numbers below `buckets`; equal ones stay in their order. */
export function sortByKey(
  items: Int32Array,
  keys: Int32Array,
  { offset = 0, buckets }: { offset?: number; buckets: number },
): Int32Array {
  const places = new Int32Array(buckets + 1);
  for (let i = 0; i < items.length; i++) places[keys[items[i]! + offset]! + 1]!++;
  for (let bucket = 0; bucket < buckets; bucket++) places[bucket + 1]! += places[bucket]!;
  const sorted = new Int32Array(items.length);
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    sorted[places[keys[item + offset]!]!++] = item;
  }
  return sorted;
}
