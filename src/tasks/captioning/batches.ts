import type { Batches } from "../../data/batches.ts";
import { padded } from "../../data/padded.ts";
import { Permutation } from "../../data/permutation.ts";
import { type PairBatch, PairBatches } from "../../data/text/translation/pair-batches.ts";
import { BOUNDARY } from "../../decoding/decoder-steps.ts";
import { tensor } from "../../tensor/tensor.ts";

/** Captions to learn from: tokens with the boundary at the end, and the row of each one's image. */
export interface Lessons {
  tokens: Int32Array[];
  rows: Int32Array[];
}

/** Captions side by side: the rows of their images as `source`, and their tokens as `target`. */
export type CaptionBatch = Pick<PairBatch, "source" | "target" | "targetLengths">;

/** Captions of like lengths side by side, each with the row of its image. */
export function batchesOf(
  { rows, tokens }: Lessons,
  batchTokens: number,
  seed: number,
): Batches<CaptionBatch> {
  return new PairBatches(rows, tokens, { maxTokens: batchTokens, seed });
}

/**
 * All captions of some images side by side, in another order each epoch: for networks that see for themselves, and then see
 * an image once for all that is said of it. A batch is a function of seed, epoch and number alone.
 */
export class ImageBatches implements Batches<CaptionBatch> {
  readonly length: number;
  readonly #images: { row: number; captions: Int32Array[] }[];
  readonly #count: number;
  readonly #seed: number;
  #epoch: { number: number; order: Permutation } | undefined;

  constructor({ rows, tokens }: Lessons, batchTokens: number, seed: number) {
    const images = new Map<number, Int32Array[]>();
    for (const [i, caption] of tokens.entries()) {
      const row = rows[i]![0]!;
      const own = images.get(row);
      if (own) own.push(caption);
      else images.set(row, [caption]);
    }
    this.#images = Array.from(images, ([row, captions]) => ({ row, captions }));
    this.#seed = seed;
    const longest = tokens.reduce((most, { length }) => Math.max(most, length), 0);
    const most = this.#images.reduce((count, { captions }) => Math.max(count, captions.length), 0);
    this.#count = Math.max(1, Math.floor(batchTokens / (longest * most)));
    this.length = Math.ceil(this.#images.length / this.#count);
  }

  at(epoch: number, index: number): CaptionBatch {
    if (this.#epoch?.number !== epoch) {
      this.#epoch = { number: epoch, order: new Permutation(this.#images.length, this.#seed, epoch) };
    }
    const { order } = this.#epoch;
    const first = index * this.#count;
    const chosen = Array.from(
      { length: Math.min(this.#count, this.#images.length - first) },
      (_, i) => this.#images[order.at(first + i)]!,
    );
    const captions = chosen.flatMap((image) => image.captions);
    const rows = chosen.flatMap((image) => image.captions.map(() => image.row));
    return {
      source: tensor(Int32Array.from(rows), [1, rows.length]),
      target: padded(captions, BOUNDARY),
      targetLengths: captions.map(({ length }) => length),
    };
  }
}
