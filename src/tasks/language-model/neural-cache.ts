import * as v from "valibot";
import type { TokenSequence } from "../../data/text/tokens.ts";
import { linear } from "../../ops/linear.ts";
import { checkOptions, numberIn, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import { tensor } from "../../tensor/tensor.ts";
import { chunkSize, type NeuralCacheOptions, tokenLosses } from "./evaluate.ts";
import type { LanguageModelNetwork, NetworkState } from "./network.ts";

const schema = recordOf({
  size: wholeNumber(1, 1_000_000),
  theta: v.optional(numberIn({ from: 0 }), 0.3),
  lambda: v.optional(numberIn({ from: 0, below: 1 }), 0.1),
} satisfies SchemasOf<NeuralCacheOptions>);

/** Floats that the products of some states with all that are remembered may take. */
const BLOCK_FLOATS = 2 ** 22;

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
  /** The states so far and the tokens that came after them, the oldest first: those remembered, and those of a chunk. */
  const most = Math.min(size, tokens.length) + chunkSize(network);
  const keys = new Float32Array(most * width);
  const values = new Int32Array(most);
  let count = 0;
  return tokenLosses(network, tokens, undefined, undefined, ({ inputs, targets }, state) => {
    const { hidden, hashes, state: next } = network.read(inputs, state);
    const losses = network.lossOf(hidden, targets, hashes, { reduction: "none" });
    const forgotten = Math.max(0, count - size);
    keys.copyWithin(0, forgotten * width, count * width);
    values.copyWithin(0, forgotten, count);
    const before = count - forgotten;
    count = before + targets.size;
    const queries = hidden.toArray() as Float32Array;
    keys.set(queries, before * width);
    values.set(targets.toArray(), before);
    const remembered = tensor(keys.subarray(0, count * width), [count, width]);
    const mixed = losses.toArray() as Float32Array;
    const block = Math.max(1, Math.floor(BLOCK_FLOATS / count));
    for (let from = before; from < count; from += block) {
      const to = Math.min(from + block, count);
      const rows = queries.subarray((from - before) * width, (to - before) * width);
      const products = linear(tensor(rows, [to - from, width]), remembered).toArray() as Float32Array;
      for (let end = from; end < to; end++) {
        const start = Math.max(0, end - size);
        if (start === end) continue;
        const row = (end - from) * count;
        const share = shareOf(
          values[end]!,
          products.subarray(row + start, row + end),
          values.subarray(start, end),
          theta,
        );
        mixed[end - before] = -Math.log((1 - lambda) * Math.exp(-mixed[end - before]!) + lambda * share);
      }
    }
    return { loss: tensor(mixed, losses.shape), state: next };
  });
}

/** P_cache of a token, from h_t·h_i and the x_{i+1}. */
function shareOf(token: number, products: Float32Array, values: Int32Array, theta: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const product of products) most = Math.max(most, product);
  let [total, own] = [0, 0];
  products.forEach((product, i) => {
    const weight = Math.exp(theta * (product - most));
    total += weight;
    if (values[i] === token) own += weight;
  });
  return own / total;
}
