import { Generator } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Batches } from "../batches.ts";
import { Permutation } from "../permutation.ts";
import { checkLength, type LanguageModelBatch, placeWindow } from "./stream-batches.ts";
import type { TokenSequence } from "./tokens.ts";

/** Tells the random numbers of an epoch's offset from others of the same seed. */
const OFFSETS = 0x6f66_6673;

/**
 * Windows of T tokens in random order, each of them read without what came before: no state is carried over. Every epoch
 * cuts the text into windows at other places and shuffles them anew. Left out are less than a window at each end, and the
 * fewer than N windows that fill no batch.
 */
export class ShuffledBatches implements Batches<LanguageModelBatch> {
  readonly #tokens: TokenSequence;
  readonly #batchSize: number;
  readonly #seqLength: number;
  readonly #seed: number;
  readonly #windows: number;
  readonly #slack: number;
  #epoch: { number: number; offset: number; order: Permutation } | undefined;

  constructor(
    tokens: TokenSequence,
    { batchSize, seqLength, seed }: { batchSize: number; seqLength: number; seed: number },
    what = "text",
  ) {
    checkLength(tokens, { batchSize, seqLength }, what);
    this.#tokens = tokens;
    this.#batchSize = batchSize;
    this.#seqLength = seqLength;
    this.#seed = seed;
    // An offset takes up to T − 1 tokens, if that leaves a batch.
    const spare = tokens.length - 1 - batchSize * seqLength;
    this.#slack = Math.min(seqLength - 1, spare);
    this.#windows = Math.floor((tokens.length - 1 - this.#slack) / seqLength);
  }

  get length(): number {
    return Math.floor(this.#windows / this.#batchSize);
  }

  at(epoch: number, index: number): LanguageModelBatch {
    const n = this.#batchSize;
    const steps = this.#seqLength;
    const { offset, order } = this.#cut(epoch);
    const inputs = new Int32Array(steps * n);
    const targets = new Int32Array(steps * n);
    for (let column = 0; column < n; column++) {
      const from = offset + order.at(index * n + column) * steps;
      placeWindow(this.#tokens.slice(from, from + steps + 1), column, inputs, targets);
    }
    return { inputs: tensor(inputs, [steps, n]), targets: tensor(targets, [steps, n]), first: true };
  }

  #cut(number: number) {
    if (this.#epoch?.number !== number) {
      const offsets = new Generator(this.#seed, OFFSETS);
      offsets.position = number;
      const offset = offsets.below(this.#slack + 1);
      this.#epoch = { number, offset, order: new Permutation(this.#windows, this.#seed, number) };
    }
    return this.#epoch;
  }
}
