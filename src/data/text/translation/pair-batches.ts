import { DataError, OptionError } from "../../../errors.ts";
import { Generator } from "../../../tensor/random.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Batches } from "../../batches.ts";
import { padded } from "../../padded.ts";
import { Permutation } from "../../permutation.ts";

/** Sentences side by side, filled up to the longest. */
export interface PairBatch {
  /** Tokens [S, N] and [T, N]. */
  source: Tensor;
  target: Tensor;
  sourceLengths: number[];
  targetLengths: number[];
  /** Which of the pairs these are. */
  pairs: number[];
}

export interface PairBatchOptions {
  /** The most tokens of a side of a batch, what it is filled up with among them. */
  maxTokens: number;
  /** The most sentences of a batch. Default: as many as have maxTokens. */
  maxSentences?: number;
  seed: number;
  /** What shorter sentences are filled up with. Default 0. */
  padding?: number;
}

/** Tells the random numbers that shuffle sentences of one length from others of the same seed. */
const TIES = 0x7061_6972;

/**
 * Pairs of sentences in batches of about as many tokens each: pairs of like lengths go together, so that little is filled
 * up. Each epoch shuffles the batches, and which of the pairs of the same lengths are in which. A batch is a function of
 * seed, epoch and number alone, so that a training can stop and go on anywhere.
 */
export class PairBatches implements Batches<PairBatch> {
  readonly #source: readonly Int32Array[];
  readonly #target: readonly Int32Array[];
  readonly #seed: number;
  readonly #padding: number;
  /** The pairs by their lengths, and where in it the next lengths and the next batch begin. */
  readonly #sorted: Int32Array;
  readonly #lengths: number[] = [];
  readonly #starts: number[] = [];
  #epoch: { number: number; pairs: Int32Array; order: Permutation } | undefined;

  constructor(
    source: readonly Int32Array[],
    target: readonly Int32Array[],
    { maxTokens, maxSentences = maxTokens, seed, padding = 0 }: PairBatchOptions,
  ) {
    if (source.length !== target.length || source.length === 0) {
      throw new DataError(
        `pairs: need as many sources as targets, and one at least, got ${source.length} and ${target.length}`,
      );
    }
    for (const [name, value] of Object.entries({ maxTokens, maxSentences })) {
      if (!Number.isInteger(value) || value < 1)
        throw new OptionError(`pairs: ${name} must be a whole number from 1 up, got ${value}`);
    }
    this.#source = source;
    this.#target = target;
    this.#seed = seed;
    this.#padding = padding;
    const size = (i: number) => Math.max(source[i]!.length, target[i]!.length);
    const order = (a: number, b: number) =>
      source[a]!.length - source[b]!.length || target[a]!.length - target[b]!.length || a - b;
    this.#sorted = Int32Array.from(source, (_, i) => i).sort(order);
    let longest = 0;
    for (const [place, pair] of this.#sorted.entries()) {
      if (size(pair) === 0 || size(pair) > maxTokens) {
        throw new DataError(
          `pairs: pair ${pair + 1} must have 1 to ${maxTokens} tokens a side, got ${source[pair]!.length} and ${target[pair]!.length}`,
          {
            hint: "raise maxTokens, or leave long sentences out",
          },
        );
      }
      const before = this.#sorted[place - 1];
      if (
        before === undefined ||
        source[before]!.length !== source[pair]!.length ||
        target[before]!.length !== target[pair]!.length
      ) {
        this.#lengths.push(place);
      }
      longest = Math.max(longest, size(pair));
      const count = place - (this.#starts.at(-1) ?? 0) + 1;
      if (this.#starts.length > 0 && count <= maxSentences && count * longest <= maxTokens) continue;
      this.#starts.push(place);
      longest = size(pair);
    }
  }

  get length(): number {
    return this.#starts.length;
  }

  at(epoch: number, index: number): PairBatch {
    const { pairs, order } = this.#arrange(epoch);
    const batch = order.at(index);
    const chosen = Array.from(pairs.subarray(this.#starts[batch], this.#starts[batch + 1]));
    const [source, target] = [this.#source, this.#target].map((all) => chosen.map((pair) => all[pair]!)) as [
      Int32Array[],
      Int32Array[],
    ];
    return {
      source: padded(source, this.#padding),
      target: padded(target, this.#padding),
      sourceLengths: source.map(({ length }) => length),
      targetLengths: target.map(({ length }) => length),
      pairs: chosen,
    };
  }

  #arrange(number: number) {
    if (this.#epoch?.number !== number) {
      const pairs = this.#sorted.slice();
      const random = new Generator(this.#seed, TIES);
      random.position = number * pairs.length;
      for (const [i, start] of this.#lengths.entries())
        random.shuffle(pairs.subarray(start, this.#lengths[i + 1]));
      this.#epoch = { number, pairs, order: new Permutation(this.length, this.#seed, number) };
    }
    return this.#epoch;
  }
}
