import { levels, sortByKey, type Trie } from "./trie.ts";

export interface CountOptions {
  /** The longest n-grams to count. */
  order: number;
  vocabularySize: number;
  /** The word that ends a sentence; after it the next one begins anew with `<s>`. Undefined: all is one sentence. */
  sentenceEnd?: number | undefined;
}

/** The different n-grams of a text, and how often each occurs. */
export interface NgramCounts extends Trie {
  readonly occurrences: Uint32Array;
}

/**
 * Counts all n-grams of orders 1 to `order` within sentences, each of which begins with `<s>`. One sort does it: put the
 * places of a text in the order of the words that follow them, and equal n-grams of every length stand side by side. It
 * is a counting sort for each order, whatever the size of the vocabulary, and takes 12 bytes a word.
 */
export function countNgrams(tokens: Int32Array, options: CountOptions): NgramCounts {
  const { order, vocabularySize } = options;
  const text = withSentenceStarts(tokens, options);
  const places = sortPlaces(text, options);
  const sizes = new Array<number>(order).fill(0);
  visitNgrams(text, places, options, (n, _, isNew) => {
    if (isNew) sizes[n - 1]!++;
  });
  sizes[0] = vocabularySize + 1; // words that do not occur have nodes too

  const starts = levels(sizes);
  const nodes = starts.at(-1)!;
  const next = starts.slice();
  const words = new Int32Array(nodes);
  const first = new Int32Array(starts[order]! + 1).fill(nodes);
  const occurrences = new Uint32Array(nodes);
  words[0] = -1;
  for (let word = 0; word <= vocabularySize; word++) words[1 + word] = word;
  first[0] = 1;
  let filled = 1;
  visitNgrams(text, places, options, (n, word, isNew) => {
    if (isNew) {
      const node = n === 1 ? 1 + word : next[n]!++;
      words[node] = word;
      // The children of words that do not occur would begin where the next word's do.
      if (n === 1 && n < order) while (filled <= node) first[filled++] = next[2]!;
      else if (n < order) first[node] = next[n + 1]!;
    }
    occurrences[n === 1 ? 1 + word : next[n]! - 1]!++;
  });
  if (order > 1) first.fill(next[2]!, filled, starts[2]);
  return { vocabularySize, sizes, words, first, occurrences };
}

/** The text with `<s>` before each sentence, and enough of them behind it that every place has `order` words. */
function withSentenceStarts(tokens: Int32Array, { order, vocabularySize, sentenceEnd }: CountOptions) {
  let sentences = 1;
  for (let i = 0; i < tokens.length - 1; i++) if (tokens[i] === sentenceEnd) sentences++;
  const text = new Int32Array(tokens.length + sentences + order - 1).fill(vocabularySize);
  for (let i = 0, at = 1; i < tokens.length; i++) {
    text[at++] = tokens[i]!;
    if (tokens[i] === sentenceEnd) at++;
  }
  return text;
}

/** The places of a text in the order of the words that follow, `order` of them: the last word first, as in a radix sort. */
function sortPlaces(text: Int32Array, { order, vocabularySize }: CountOptions): Int32Array {
  let places: Int32Array = new Int32Array(text.length - order + 1).map((_, place) => place);
  for (let offset = order - 1; offset >= 0; offset--) {
    places = sortByKey(places, text, { offset, buckets: vocabularySize + 1 });
  }
  return places;
}

/** Visits at each place the n-grams that begin there and stay within the sentence; `isNew` unless seen a place before. */
function visitNgrams(
  text: Int32Array,
  places: Int32Array,
  { order, vocabularySize }: CountOptions,
  visit: (n: number, word: number, isNew: boolean) => void,
): void {
  let before = -1;
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    let isNew = before < 0;
    for (let n = 1; n <= order; n++) {
      const word = text[place + n - 1]!;
      if (n > 1 && word === vocabularySize) break;
      isNew ||= word !== text[before + n - 1];
      visit(n, word, isNew);
    }
    before = place;
  }
}
