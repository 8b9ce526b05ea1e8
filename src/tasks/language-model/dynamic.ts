import { step } from "../../autograd/step.ts";
import { SentenceBatches } from "../../data/text/sentence-batches.ts";
import { LanguageModelBatches } from "../../data/text/stream-batches.ts";
import type { TokenSequence } from "../../data/text/tokens.ts";
import { sum } from "../../ops/reduce.ts";
import { clipGradNorm } from "../../optim/clip.ts";
import { SGD } from "../../optim/sgd.ts";
import type { LanguageModelNetwork, NetworkState } from "./network.ts";

/** Tokens between updates, and those before through which gradients flow back: the toolkit's bptt-block and usual bptt. */
const WINDOW = 10;
const BPTT = 5;
/** The norm that a window's gradient is scaled down to: one bad window must not ruin the net for all that follow. */
const CUTOFF = 5;

/**
 * −ln P of every token but the first, given all those before it, from a network that goes on learning while it is tested
 * ("dynamic evaluation", Mikolov et al. 2010): after each window (of independent sentences: each sentence), whose losses are
 * taken before, a step of SGD on their sum. In the end the network is what it was.
 */
export function* dynamicTokenLosses(
  network: LanguageModelNetwork,
  tokens: TokenSequence,
  learningRate: number,
): IterableIterator<Float32Array> {
  const before = network.stateDict();
  const optimizer = new SGD(network.parameters(), { learningRate });
  const learn = { learningRate, weightDecay: 0 };
  const seqLength = Math.min(WINDOW, tokens.length - 1);
  const { resetAt: lineBreak } = network.config;
  const batches =
    lineBreak === undefined
      ? new LanguageModelBatches(tokens, { batchSize: 1, seqLength, bptt: BPTT })
      : new SentenceBatches(tokens, { batchSize: 1, lineBreak });
  let state: NetworkState | undefined;
  try {
    for (let i = 0; i < batches.length; i++) {
      const made = step(() => {
        const { loss, state: next } = network.loss(batches.at(0, i), state, { reduction: "none", learn });
        sum(loss).backward();
        clipGradNorm(network.parameters(), CUTOFF);
        return { losses: loss, state: next };
      });
      optimizer.step();
      if (lineBreak === undefined) state = made.state;
      yield made.losses.toArray() as Float32Array;
    }
  } finally {
    optimizer.zeroGrad();
    network.loadStateDict(before);
  }
}
