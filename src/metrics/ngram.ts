import { DataError } from "../errors.ts";

/**
 * The baselines a language model has to beat: unigram and bigram, by Witten–Bell interpolation (Chen and Goodman 1998,
 * eq. 20), which needs no tuning. With t(v) the number of different words seen after v and c(v) how often v was seen,
 *
 *     P(w)     = (c(w) + t·1/V) / (n + t)               t different words among n
 *     P(w | v) = (c(v, w) + t(v)·P(w)) / (c(v) + t(v))
 */
export class NgramModel {
  readonly order: 1 | 2;
  readonly vocabularySize: number;
  readonly #unigrams: Float64Array;
  /** c(v, w) under v·V + w */
  readonly #pairs = new Map<number, number>();
  readonly #followed: Float64Array;
  readonly #followers: Float64Array;

  constructor(tokens: Int32Array, { order, vocabularySize }: { order: 1 | 2; vocabularySize: number }) {
    const counts = new Float64Array(vocabularySize);
    for (const token of tokens) counts[token]!++;
    const types = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    this.order = order;
    this.vocabularySize = vocabularySize;
    this.#unigrams = counts.map((count) => (count + types / vocabularySize) / (tokens.length + types));
    this.#followed = new Float64Array(vocabularySize);
    this.#followers = new Float64Array(vocabularySize);
    if (order === 1) return;
    for (let i = 1; i < tokens.length; i++) {
      const before = tokens[i - 1]!;
      const pair = before * vocabularySize + tokens[i]!;
      const count = this.#pairs.get(pair) ?? 0;
      if (count === 0) this.#followers[before]!++;
      this.#followed[before]!++;
      this.#pairs.set(pair, count + 1);
    }
  }

  /** P(token | before). */
  probability(token: number, before: number): number {
    const unigram = this.#unigrams[token]!;
    const followers = this.#followers[before]!;
    if (followers === 0) return unigram;
    const pair = this.#pairs.get(before * this.vocabularySize + token) ?? 0;
    return (pair + followers * unigram) / (this.#followed[before]! + followers);
  }

  /** Mean −ln P over all tokens but the first, which nothing precedes: what a network is scored on. */
  loss(tokens: Int32Array): number {
    if (tokens.length < 2)
      throw new DataError(`n-gram: needs 2 tokens or more to score, got ${tokens.length}`);
    let sum = 0;
    for (let i = 1; i < tokens.length; i++) sum -= Math.log(this.probability(tokens[i]!, tokens[i - 1]!));
    return sum / (tokens.length - 1);
  }
}
