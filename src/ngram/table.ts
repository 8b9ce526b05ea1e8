import type { BackoffModel } from "./kneser-ney.ts";
import { findChild, linkSuffixes, type Trie } from "./trie.ts";

/** log10 P of what is never predicted: `<s>`, and words that a model lacks. */
export const NEVER = -99;

/** What a table is made of; numbers as in ARPA files, log10. */
export interface NgramColumns extends Trie {
  readonly logProbs: Float32Array | Float64Array;
  /** Of each node that may have children. */
  readonly backoffs: Float32Array | Float64Array;
}

function logarithms(values: Float64Array): Float32Array {
  const logs = new Float32Array(values.length);
  // From 1: the empty n-gram has neither a probability nor anything shorter to back off to.
  for (let i = 1; i < logs.length; i++) logs[i] = values[i]! > 0 ? Math.log10(values[i]!) : NEVER;
  return logs;
}

/**
 * A back-off n-gram model, to be asked word by word. What came before is a state, one whole number: the longest ending of
 * it that the model knows, so that equal numbers mean equal futures. Nothing is allocated on the way.
 *
 *     let state = table.start;
 *     for (const word of words) {
 *       state = table.step(state, word);
 *       sum += table.logProb; // ln P(word | all before it)
 *     }
 *
 * An n-gram takes 20 bytes, one of the highest order 8.
 */
export class NgramTable implements NgramColumns {
  readonly vocabularySize: number;
  readonly sizes: readonly number[];
  readonly words: Int32Array;
  readonly first: Int32Array;
  readonly logProbs: Float32Array | Float64Array;
  readonly backoffs: Float32Array | Float64Array;
  /** The state before the first word of a sentence: `<s>`. */
  readonly start: number;
  /** ln P of the word that `step` took last. */
  logProb = 0;
  readonly #suffixes: Int32Array;
  /** Nodes below the highest order, which may be states. */
  readonly #inner: number;

  constructor({ vocabularySize, sizes, words, first, logProbs, backoffs }: NgramColumns) {
    this.vocabularySize = vocabularySize;
    this.sizes = sizes;
    this.words = words;
    this.first = first;
    this.logProbs = logProbs;
    this.backoffs = backoffs;
    this.#inner = first.length - 1;
    this.start = this.order > 1 ? 1 + vocabularySize : 0;
    this.#suffixes = linkSuffixes(this, this.#inner);
  }

  /** The numbers of a model as logarithms, in float32. */
  static of({ probabilities, weights, ...trie }: BackoffModel): NgramTable {
    return new NgramTable({ ...trie, logProbs: logarithms(probabilities), backoffs: logarithms(weights) });
  }

  get order(): number {
    return this.sizes.length;
  }

  /** What a state is at most. */
  get states(): number {
    return this.#inner - 1;
  }

  /** Bytes of memory. */
  get bytes(): number {
    const arrays = [this.words, this.first, this.logProbs, this.backoffs, this.#suffixes];
    return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** The state after a word; `logProb` is then what the word had in the state before. */
  step(state: number, word: number): number {
    let weight = 0;
    for (let context = state; ; context = this.#suffixes[context]!) {
      const node = findChild(this, context, word);
      if (node > 0) {
        this.logProb = (weight + this.logProbs[node]!) * Math.LN10;
        return node < this.#inner ? node : this.#shorter(context, word);
      }
      weight += this.backoffs[context]!;
    }
  }

  /** The state after a word that completes an n-gram of the highest order: without that one's first word. */
  #shorter(context: number, word: number): number {
    while (context > 0) {
      context = this.#suffixes[context]!;
      const node = findChild(this, context, word);
      if (node > 0) return node;
    }
    return 0;
  }

  /** ln P of every word as the next one. */
  distribution(state: number, out = new Float64Array(this.vocabularySize)): Float64Array {
    const { first, words, logProbs, backoffs } = this;
    if (state === 0) {
      for (let word = 0; word < out.length; word++) out[word] = logProbs[1 + word]! * Math.LN10;
      return out;
    }
    this.distribution(this.#suffixes[state]!, out);
    const weight = backoffs[state]! * Math.LN10;
    if (weight !== 0) for (let word = 0; word < out.length; word++) out[word]! += weight;
    for (let node = first[state]!; node < first[state + 1]!; node++) {
      out[words[node]!] = logProbs[node]! * Math.LN10;
    }
    return out;
  }
}
