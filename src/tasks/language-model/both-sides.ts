import type { LSTM } from "../../nn/recurrent/lstm.ts";
import type { ClassCrossEntropyOptions } from "../../ops/class-cross-entropy.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { NO_TARGET } from "../../ops/reduction.ts";
import { reverseSequences } from "../../ops/reverse-sequences.ts";
import { concat, slice } from "../../ops/slice.ts";
import { type Tensor, tensor, zeros } from "../../tensor/tensor.ts";
import type { RecurrentLayers } from "./layers.ts";
import type { LanguageModelNetwork, Reading } from "./network.ts";

/**
 * What a bidirectional network knows of each of the targets [T, N], the tokens after the inputs: from all those before it,
 * and from all those after it, [T, N, H] each.
 */
export function bothSides(
  network: LanguageModelNetwork,
  { inputs, targets, lengths }: Reading,
): [left: Tensor, right: Tensor] {
  const [T, N] = inputs.shape as [number, number];
  const read = (layers: RecurrentLayers, tokens: Tensor) => {
    const embedded = network.embeddingDropout.forward(network.embedding.forward(tokens));
    return (layers as LSTM).forward(embedded, { lengths }).output;
  };
  const left = read(network.rnn, inputs);
  const known = tensor(
    Int32Array.from(targets.toArray(), (id) => Math.max(id, 0)),
    [T, N],
  );
  const right = reverseSequences(read(network.backward!, reverseSequences(known, lengths)), lengths);
  // Row t has read the target itself last; the one that knows only what comes after it is row t + 1.
  const nothing = zeros([1, N, network.config.hiddenSize]);
  return [left, concat(T > 1 ? [slice(right, 0, 1, T), nothing] : [nothing], 0)];
}

/** −ln P of each target but line breaks, whose places the lengths give away. */
export function lossOfBothSides(
  network: LanguageModelNetwork,
  reading: Reading,
  options: ClassCrossEntropyOptions,
): Tensor {
  const { targets } = reading;
  const { resetAt } = network.config;
  const counted = Int32Array.from(targets.toArray(), (id) => (id === resetAt ? NO_TARGET : id));
  const known = network.outputDropout.forward(concat(bothSides(network, reading), 2));
  return crossEntropy(network.output.forward(known), tensor(counted, targets.shape), options);
}
