import type { Linear } from "../../nn/linear.ts";
import { add, mul } from "../../ops/binary.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { gather } from "../../ops/gather.ts";
import { linear } from "../../ops/linear.ts";
import { sum } from "../../ops/reduce.ts";
import { concat } from "../../ops/slice.ts";
import { Generator, randomState } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";

/** Tells the random numbers that choose words from others of the same seed. */
const WORDS = 0x77_6f72;
/** Low enough that e to it is 0. */
const NEVER = -1e9;

/**
 * The cross-entropy of int32 targets [...] with a sum over `count` words in place of all (Bengio & Senécal 2008; Jean et al.
 * 2015): words k drawn by Q stand for the others,
 *
 *     Σ_w e^z_w ≈ e^z_target + Σ_{k ≠ target} e^z_k / (count·Q(k)),   Q(k) = ln((k + 2) / (k + 1)) / ln(V + 1)
 *
 * which is right on average. Q is Zipf's law, words standing in the order of their frequency. The same words are for all
 * targets of a batch; they are a function of the seed and the training step.
 */
export function sampledCrossEntropy(
  x: Tensor,
  { weight, bias }: Linear,
  targets: Tensor,
  count: number,
): Tensor {
  const V = weight.shape[0]!;
  const random = new Generator(randomState.seed, WORDS);
  random.position = randomState.step * count;
  const words = new Int32Array(count);
  const corrections = new Float32Array(count);
  for (let s = 0; s < count; s++) {
    const word = Math.min(V - 1, Math.floor((V + 1) ** random.uniform()) - 1);
    words[s] = word;
    corrections[s] = -Math.log((count * Math.log((word + 2) / (word + 1))) / Math.log(V + 1));
  }
  const own = targets.toArray();
  const R = own.length;
  const hits = new Float32Array(R * count);
  for (let r = 0; r < R; r++) {
    for (let s = 0; s < count; s++) if (words[s] === own[r]) hits[r * count + s] = NEVER;
  }
  const rows = x.reshape(R, -1);
  const [of, drawn] = [targets.reshape(R), tensor(words)];
  let right = sum(mul(rows, gather(weight, of, 0)), 1);
  let offsets = tensor(corrections);
  if (bias) {
    right = add(right, gather(bias, of, 0));
    offsets = add(gather(bias, drawn, 0), offsets);
  }
  const others = add(linear(rows, gather(weight, drawn, 0), offsets), tensor(hits, [R, count]));
  return crossEntropy(concat([right.reshape(R, 1), others], 1), tensor(new Int32Array(R)));
}
