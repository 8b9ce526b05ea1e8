import { noGrad, step } from "../../autograd/step.ts";
import { bitsPerToken, perplexity } from "../../metrics/perplexity.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { tensor } from "../../tensor/tensor.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import type { LanguageModelNetwork, NetworkState } from "./network.ts";

export interface Evaluation {
  /** How many tokens were predicted: all but the first. */
  tokens: number;
  /** Mean −ln P of a token given all those before it, in nats. */
  loss: number;
  /** e^loss */
  perplexity: number;
  /** loss / ln 2 */
  bitsPerToken: number;
}

/** Floats that the logits of a chunk may take. */
const CHUNK_FLOATS = 2 ** 21;

/**
 * −ln P of every token but the first, given all those before it, in chunks: one continuous stream with carried state, as
 * figures for texts are published. The size of the chunks, which is memory's concern, changes no bit.
 */
export function* tokenLosses(
  network: LanguageModelNetwork,
  tokens: Int32Array,
  chunk = chunkSize(network),
): IterableIterator<Float32Array> {
  let state: NetworkState | undefined;
  for (let from = 0; from < tokens.length - 1; from += chunk) {
    const to = Math.min(from + chunk, tokens.length - 1);
    const inputs = tensor(tokens.slice(from, to), [to - from, 1]);
    const targets = tensor(tokens.slice(from + 1, to + 1), [to - from, 1]);
    const made = step(() =>
      noGrad(() => {
        const { logits, state: next } = network.forward(inputs, state);
        return { losses: crossEntropy(logits, targets, { reduction: "none" }), state: next };
      }),
    );
    state = made.state;
    yield made.losses.toArray() as Float32Array;
  }
}

function chunkSize({ config }: LanguageModelNetwork): number {
  return Math.min(512, Math.max(16, Math.floor(CHUNK_FLOATS / config.vocabularySize)));
}

/** Scores a whole text, giving the event loop its turns; undefined once aborted. */
export async function evaluateTokens(
  network: LanguageModelNetwork,
  tokens: Int32Array,
  signal?: AbortSignal,
): Promise<Evaluation | undefined> {
  const pause = eventLoopTurns();
  let sum = 0;
  for (const losses of tokenLosses(network.eval(), tokens)) {
    if (signal?.aborted) return undefined;
    for (const loss of losses) sum += loss;
    await pause();
  }
  const loss = sum / (tokens.length - 1);
  return {
    tokens: tokens.length - 1,
    loss,
    perplexity: perplexity(loss),
    bitsPerToken: bitsPerToken(loss),
  };
}
