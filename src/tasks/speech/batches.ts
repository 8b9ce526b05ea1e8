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
  /** [T, N, samples]: numbers to draw paths with, if any are drawn. */
  uniform?: Tensor;
}

export function padTargets(
  labels: readonly Int32Array[],
): Pick<SpeechBatch, "targets" | "targetLengths" | "count"> {
  const lengths = Int32Array.from(labels, ({ length }) => length);
  const longest = Math.max(...lengths, 1);
  const padded = new Int32Array(labels.length * longest);
  for (const [n, own] of labels.entries()) padded.set(own, n * longest);
  const count = lengths.reduce((sum, length) => sum + length, 0);
  return { targets: tensor(padded, [labels.length, longest]), targetLengths: tensor(lengths), count };
}

/** Tell random numbers for the order of utterances, for their speeds and paths, from others of the same seed. */
const ORDER = 0x6f72_6465;
const SPEED = 0x7370_6565;
const PATHS = 0x1a74_6873;

/** By how much, in parts, lengths are blurred before utterances are sorted by them. */
const BLUR = 0.2;

export interface BatchOptions {
  batchSize: number;
  seed: number;
  masks: Masks;
  /** Paths to draw of each utterance. Default 0. */
  samples?: number;
}

/**
 * Utterances of like lengths in a batch, in each epoch others together; the batches in random order. Each utterance is at
 * one of its speeds and has masks of its own. A batch is a function of seed, epoch and number alone.
 */
export class SpeechBatches implements Batches<SpeechBatch> {
  readonly length: number;
  readonly #items: readonly Item[];
  readonly #frontEnd: FrontEnd;
  readonly #options: BatchOptions;
  #epoch: { number: number; order: number[] } | undefined;

  constructor(items: readonly Item[], frontEnd: FrontEnd, options: BatchOptions) {
    this.#items = items;
    this.#frontEnd = frontEnd;
    this.#options = options;
    this.length = Math.ceil(items.length / options.batchSize);
  }

  at(epoch: number, index: number): SpeechBatch {
    const { batchSize, seed, samples = 0 } = this.#options;
    const batch = new Permutation(this.length, seed, epoch).at(index);
    const chosen = this.#order(epoch).slice(batch * batchSize, (batch + 1) * batchSize);
    const windows = padWindows(chosen.map((i) => this.#windows(i, epoch)));
    return {
      ...windows,
      ...padTargets(chosen.map((i) => this.#items[i]!.labels!)),
      ...(samples > 0 && { uniform: this.#uniform(chosen, epoch, windows.windows.shape[0]!, samples) }),
    };
  }

  #uniform(chosen: readonly number[], epoch: number, T: number, S: number): Tensor {
    const N = chosen.length;
    const values = new Float32Array(T * N * S);
    for (const [n, utterance] of chosen.entries()) {
      const random = drawAt(this.#options.seed, PATHS + utterance, epoch * 2 ** 32);
      for (let t = 0; t < T; t++) {
        for (let s = 0; s < S; s++) values[(t * N + n) * S + s] = random.uniform();
      }
    }
    return tensor(values, [T, N, S]);
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
