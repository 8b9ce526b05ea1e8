import { Heap } from "./heap.ts";
import { pairKey } from "./merges.ts";

export interface Learnt {
  /** Every token, by its number. */
  tokens: string[];
  merges: (readonly [left: string, right: string])[];
}

export interface LearningOptions {
  /** How many tokens there shall be; fewer if the words have no more pairs to merge. */
  vocabularySize: number;
  /** Pairs that are rarer are not merged. */
  minFrequency: number;
  /** Tokens that come before all others. */
  specialTokens: readonly string[];
  /** Characters that have a token whether they are in the words or not. */
  alphabet: readonly string[];
  /** Marks the last symbol of a word. */
  endOfWordSuffix?: string | undefined;
}

/** A pair in the queue: how often it occurred when it was put there, and the words it was seen in since. */
interface Waiting {
  left: number;
  right: number;
  count: number;
  places: Set<number>;
}

/**
 * Byte-pair encoding (Sennrich et al. 2016): the pair of symbols that is most frequent in the words becomes a symbol, and
 * again. Counts are kept up to date by the words that a merge changes; of pairs as frequent as each other, the one of
 * older symbols is first. The order of merges is that of Hugging Face's trainer.
 */
export function learnMerges(wordCounts: ReadonlyMap<string, number>, options: LearningOptions): Learnt {
  const { tokens, numbers, words, counts } = spell(wordCounts, options);
  const pairs = new Map<number, number>();
  const queue = new Heap<Waiting>(
    (a, b) =>
      a.count > b.count ||
      (a.count === b.count && (a.left < b.left || (a.left === b.left && a.right < b.right))),
  );
  let changed = new Map<number, Waiting>();
  const count = (left: number, right: number, change: number, word?: number) => {
    const key = pairKey(left, right);
    pairs.set(key, (pairs.get(key) ?? 0) + change);
    if (word === undefined) return;
    const waiting = changed.get(key);
    if (waiting) waiting.places.add(word);
    else changed.set(key, { left, right, count: 0, places: new Set([word]) });
  };
  const enqueue = () => {
    for (const [key, waiting] of changed) {
      waiting.count = pairs.get(key)!;
      if (waiting.count > 0) queue.push(waiting);
    }
    changed = new Map();
  };
  for (const [word, symbols] of words.entries()) {
    for (let i = 0; i + 1 < symbols.length; i++) count(symbols[i]!, symbols[i + 1]!, counts[word]!, word);
  }
  enqueue();
  const merges = new Map<number, readonly [string, string]>();
  while (tokens.length < options.vocabularySize) {
    const top = queue.pop();
    if (top === undefined) break;
    const key = pairKey(top.left, top.right);
    if (top.count !== pairs.get(key)) {
      top.count = pairs.get(key)!;
      queue.push(top);
      continue;
    }
    if (top.count < Math.max(1, options.minFrequency)) break;
    const merge = [tokens[top.left]!, tokens[top.right]!] as const;
    const merged = numberOf(merge.join(""), tokens, numbers);
    // The pair of a token that came about in two ways may be merged twice; then the later time is its rank.
    merges.delete(key);
    merges.set(key, merge);
    for (const place of top.places) mergeIn(words[place]!, top, merged, counts[place]!, place, count);
    enqueue();
  }
  return { tokens, merges: [...merges.values()] };
}

type Count = (left: number, right: number, change: number, word?: number) => void;

/** Merges a pair wherever it is in a word, and counts the pairs that go and come. */
function mergeIn(
  symbols: number[],
  { left, right }: Waiting,
  merged: number,
  times: number,
  word: number,
  count: Count,
) {
  for (let i = 0; i + 1 < symbols.length; i++) {
    if (symbols[i] !== left || symbols[i + 1] !== right) continue;
    if (i > 0) {
      count(symbols[i - 1]!, left, -times);
      count(symbols[i - 1]!, merged, times, word);
    }
    symbols.splice(i, 2, merged);
    if (i + 1 < symbols.length) {
      count(right, symbols[i + 1]!, -times);
      count(merged, symbols[i + 1]!, times, word);
    }
  }
}

function numberOf(token: string, tokens: string[], numbers: Map<string, number>): number {
  const known = numbers.get(token);
  if (known !== undefined) return known;
  numbers.set(token, tokens.length);
  return tokens.push(token) - 1;
}

/** The words as symbols: special tokens first, then characters by their code points. */
function spell(wordCounts: ReadonlyMap<string, number>, options: LearningOptions) {
  const tokens: string[] = [];
  const numbers = new Map<string, number>();
  for (const token of options.specialTokens) numberOf(token, tokens, numbers);
  // In an order of their own: a text gives the same tokens however its pieces were read.
  const sorted = [...wordCounts].sort(([a], [b]) => (a < b ? -1 : 1));
  const characters = new Set(options.alphabet);
  for (const [word] of sorted) for (const character of word) characters.add(character);
  for (const character of [...characters].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)) {
    numberOf(character, tokens, numbers);
  }
  const words = sorted.map(([word]) => {
    const symbols = [...word];
    if (options.endOfWordSuffix) symbols[symbols.length - 1] += options.endOfWordSuffix;
    return symbols.map((symbol) => numberOf(symbol, tokens, numbers));
  });
  return { tokens, numbers, words, counts: sorted.map(([, times]) => times) };
}
