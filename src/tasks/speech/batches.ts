import type { Frames } from "../../data/audio/context.ts";
import type { Batches } from "../../data/batches.ts";
import { Permutation } from "../../data/permutation.ts";
import { Generator } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Item } from "./dataset.ts";
import type { FrontEnd, Masks } from "./front-end.ts";

/** Windows side by side, filled up to the longest with zeros. */
export interface WindowBatch {
  /** [T, N, inputSize] */
  windows: Tensor;
  /** [N] */
  lengths: Tensor;
}

export function padWindows(all: readonly Frames[]): WindowBatch {
  const [N, size] = [all.length, all[0]!.size];
  const lengths = Int32Array.from(all, ({ values }) => values.length / size);
  const T = Math.max(...lengths);
  const padded = new Float32Array(T * N * size);
  for (const [n, { values }] of all.entries()) {
    for (let t = 0; t < lengths[n]!; t++)
      padded.set(values.subarray(t * size, (t + 1) * size), (t * N + n) * size);
  }
  return { windows: tensor(padded, [T, N, size]), lengths: tensor(lengths) };
}

export interface SpeechBatch extends WindowBatch {
  /** [N, labels] */
  targets: Tensor;
  /** [N] */
  targetLengths: Tensor;
  /** Labels of them all. */
  count: number;
}

export function padTargets(labels: readonly Int32Array[]): Omit<SpeechBatch, keyof WindowBatch> {
  const lengths = Int32Array.from(labels, ({ length }) => length);
  const longest = Math.max(...lengths, 1);
  const padded = new Int32Array(labels.length * longest);
  for (const [n, own] of labels.entries()) padded.set(own, n * longest);
  const count = lengths.reduce((sum, length) => sum + length, 0);
  return { targets: tensor(padded, [labels.length, longest]), targetLengths: tensor(lengths), count };
}

/** Tell random numbers for the order of utterances, and for their speeds, from others of the same seed. */
const ORDER = 0x6f72_6465;
const SPEED = 0x7370_6565;

/** By how much, in parts, lengths are blurred before utterances are sorted by them. */
const BLUR = 0.2;

/**
 * Utterances of like lengths in a batch, in each epoch others together; the batches in random order. Each utterance is at
 * one of its speeds and has masks of its own. A batch is a function of seed, epoch and number alone.
 */
export class SpeechBatches implements Batches<SpeechBatch> {
  readonly length: number;
  readonly #items: readonly Item[];
  readonly #frontEnd: FrontEnd;
  readonly #options: { batchSize: number; seed: number; masks: Masks };
  #epoch: { number: number; order: number[] } | undefined;

  constructor(
    items: readonly Item[],
    frontEnd: FrontEnd,
    options: { batchSize: number; seed: number; masks: Masks },
  ) {
    this.#items = items;
    this.#frontEnd = frontEnd;
    this.#options = options;
    this.length = Math.ceil(items.length / options.batchSize);
  }

  at(epoch: number, index: number): SpeechBatch {
    const { batchSize, seed } = this.#options;
    const batch = new Permutation(this.length, seed, epoch).at(index);
    const chosen = this.#order(epoch).slice(batch * batchSize, (batch + 1) * batchSize);
    return {
      ...padWindows(chosen.map((i) => this.#windows(i, epoch))),
      ...padTargets(chosen.map((i) => this.#items[i]!.labels!)),
    };
  }

  #windows(utterance: number, epoch: number): Frames {
    const { seed, masks } = this.#options;
    const { variants } = this.#items[utterance]!;
    const speeds = drawAt(seed, SPEED + utterance, epoch);
    const masked = this.#frontEnd.mask(variants[speeds.below(variants.length)]!, masks, {
      seed,
      epoch,
      utterance,
    });
    return this.#frontEnd.windows(masked);
  }

  #order(number: number): number[] {
    if (this.#epoch?.number !== number) {
      const random = drawAt(this.#options.seed, ORDER, number * this.#items.length);
      const keys = this.#items.map(
        ({ variants }) => variants[0]!.values.length * (1 + BLUR * random.uniform()),
      );
      const order = Array.from(keys.keys()).sort((a, b) => keys[a]! - keys[b]! || a - b);
      this.#epoch = { number, order };
    }
    return this.#epoch.order;
  }
}

function drawAt(seed: number, stream: number, position: number): Generator {
  const generator = new Generator(seed, stream);
  generator.position = position;
  return generator;
}
