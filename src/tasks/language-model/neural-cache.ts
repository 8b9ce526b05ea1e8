import * as v from "valibot";
import type { TokenSequence } from "../../data/text/tokens.ts";
import { linear } from "../../ops/linear.ts";
import { checkOptions, numberIn, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import { tensor } from "../../tensor/tensor.ts";
import { type NeuralCacheOptions, tokenLosses } from "./evaluate.ts";
import type { LanguageModelNetwork, NetworkState } from "./network.ts";

const schema = recordOf({
  size: wholeNumber(1, 1_000_000),
  theta: v.optional(numberIn({ from: 0 }), 0.3),
  lambda: v.optional(numberIn({ from: 0, below: 1 }), 0.1),
} satisfies SchemasOf<NeuralCacheOptions>);

/**
 * −ln P of every token but the first from a network with a neural cache (Grave, Joulin & Usunier 2017): of the last N
 * tokens x_{i+1} it remembers the states h_i that they came after, and
 *
 *     P(w) = (1 − λ)·P_network(w | h_t) + λ·P_cache(w),   P_cache(w) ∝ Σ_i 1{w = x_{i+1}} exp(θ·h_t·h_i)
 *
 * with h the last layer's. While it is empty, P is the network's. It spans lines, also those that the network reads each for
 * itself: what a text is about does not end with a line.
 */
export function cachedTokenLosses(
  network: LanguageModelNetwork,
  tokens: TokenSequence,
  options: NeuralCacheOptions,
): Generator<Float32Array, NetworkState | undefined> {
  const where = "LanguageModel.evaluate: neuralCache";
  const { size, theta, lambda } = checkOptions(where, schema, options);
  const width = network.config.hiddenSize;
  /** States and the tokens that came after them, the oldest first. */
  let keys = new Float32Array(0);
  let values = new Int32Array(0);
  return tokenLosses(network, tokens, undefined, undefined, ({ inputs, targets }, state) => {
    const { hidden, hashes, state: next } = network.read(inputs, state);
    const losses = network.lossOf(hidden, targets, hashes, { reduction: "none" });
    const before = values.length;
    const count = before + targets.size;
    const allKeys = new Float32Array(count * width);
    allKeys.set(keys);
    allKeys.set(hidden.toArray(), before * width);
    const allValues = new Int32Array(count);
    allValues.set(values);
    allValues.set(targets.toArray(), before);
    const queries = hidden.reshape(count - before, width);
    const products = linear(queries, tensor(allKeys, [count, width])).toArray();
    const mixed = losses.toArray().map((loss, t) => {
      const end = before + t;
      const start = Math.max(0, end - size);
      if (start === end) return loss;
      const row = t * count;
      let most = Number.NEGATIVE_INFINITY;
      for (let i = start; i < end; i++) most = Math.max(most, products[row + i]!);
      let [total, own] = [0, 0];
      for (let i = start; i < end; i++) {
        const weight = Math.exp(theta * (products[row + i]! - most));
        total += weight;
        if (allValues[i] === allValues[end]) own += weight;
      }
      return -Math.log((1 - lambda) * Math.exp(-loss) + (lambda * own) / total);
    });
    keys = allKeys.slice(Math.max(0, count - size) * width);
    values = allValues.slice(Math.max(0, count - size));
    return { loss: tensor(mixed, losses.shape), state: next };
  });
}
