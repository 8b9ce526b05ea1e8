import { add, mul } from "../ops/binary.ts";
import { type CrossEntropyOptions, crossEntropy } from "../ops/cross-entropy.ts";
import { gather } from "../ops/gather.ts";
import { NO_TARGET } from "../ops/reduction.ts";
import { concat, slice } from "../ops/slice.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

/** What an adaptive softmax is of. */
interface AdaptiveSizes {
  inFeatures: number;
  vocabularySize: number;
  /** The first word of each cluster but the head, in order: [2000, 10000]. */
  cutoffs: readonly number[];
}

/** What each feature after the head is divided by, cluster by cluster (PyTorch's default). */
const DIVISOR = 4;

/** How many words each cluster after the head has, and of how many features. */
function tailsOf({ inFeatures, vocabularySize, cutoffs }: AdaptiveSizes): { size: number; width: number }[] {
  return cutoffs.map((from, k) => ({
    size: (cutoffs[k + 1] ?? vocabularySize) - from,
    width: Math.max(1, Math.floor(inFeatures / DIVISOR ** (k + 1))),
  }));
}

/**
 * An adaptive softmax (Grave et al. 2017): the most frequent words have a probability each, in the head, and the others
 * one for each cluster, which shares it among its words by a smaller product, of fewer features the rarer they are. Words
 * stand in the order of their frequency. Weights are named as PyTorch's AdaptiveLogSoftmaxWithLoss names them: head.weight
 * [c_0 + K, H], tail.k.0.weight [d_k, H] and tail.k.1.weight [n_k, d_k] with d_k = H / 4^(k+1). There are no biases.
 */
export class AdaptiveOutput extends Module {
  readonly head: Linear;
  readonly tail: Linear[][];
  readonly #sizes: AdaptiveSizes;

  constructor(sizes: AdaptiveSizes) {
    super();
    const { inFeatures, cutoffs } = sizes;
    this.#sizes = sizes;
    this.head = new Linear(inFeatures, cutoffs[0]! + cutoffs.length, { bias: false });
    this.tail = tailsOf(sizes).map(({ size, width }) => [
      new Linear(inFeatures, width, { bias: false }),
      new Linear(width, size, { bias: false }),
    ]);
  }

  /** x [..., H] → ln P of every word [..., V] */
  forward(x: Tensor): Tensor {
    const first = this.#sizes.cutoffs[0]!;
    const head = logSoftmax(this.head.forward(x));
    const axis = head.shape.length - 1;
    const tails = this.tail.map((_, k) =>
      add(logSoftmax(this.#tailLogits(x, k)), slice(head, axis, first + k, first + k + 1)),
    );
    return concat([slice(head, axis, 0, first), ...tails], axis);
  }

  /** The cross-entropy of int32 targets [...], −100 being none. A mean or a sum takes of each cluster no more than its own rows. */
  loss(
    x: Tensor,
    targets: Tensor,
    { reduction = "mean" }: Pick<CrossEntropyOptions, "reduction"> = {},
  ): Tensor {
    // The softmax of ln P is P.
    if (reduction === "none") return crossEntropy(this.forward(x), targets, { reduction });
    const { cutoffs } = this.#sizes;
    const words = targets.toArray();
    const rows = x.reshape(words.length, -1);
    const clusters = cutoffs.map((): number[] => []);
    const inHead = Int32Array.from(words, (word, row) => {
      const k = cutoffs.findLastIndex((cutoff) => word >= cutoff);
      if (k < 0) return word;
      clusters[k]!.push(row);
      return cutoffs[0]! + k;
    });
    let total = crossEntropy(this.head.forward(rows), tensor(inHead), { reduction: "sum" });
    for (const [k, chosen] of clusters.entries()) {
      if (chosen.length === 0) continue;
      const logits = this.#tailLogits(gather(rows, tensor(Int32Array.from(chosen)), 0), k);
      const within = Int32Array.from(chosen, (row) => words[row]! - cutoffs[k]!);
      total = add(total, crossEntropy(logits, tensor(within), { reduction: "sum" }));
    }
    if (reduction === "sum") return total;
    return mul(total, 1 / Math.max(1, words.filter((word) => word !== NO_TARGET).length));
  }

  #tailLogits(x: Tensor, k: number): Tensor {
    const [narrow, out] = this.tail[k] as [Linear, Linear];
    return out.forward(narrow.forward(x));
  }
}

/** How many weights it has. */
export function countOfAdaptive(sizes: AdaptiveSizes): number {
  const { inFeatures, cutoffs } = sizes;
  const tails = tailsOf(sizes).reduce((sum, { size, width }) => sum + width * (inFeatures + size), 0);
  return inFeatures * (cutoffs[0]! + cutoffs.length) + tails;
}
