import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import type { TokenSequence } from "../../data/text/tokens.ts";
import { bitsPerToken, perplexity } from "../../metrics/perplexity.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { checkOptions, functionOf, recordOf, type SchemasOf } from "../../options.ts";
import { tensor } from "../../tensor/tensor.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import type { LanguageModelNetwork, NetworkState } from "./network.ts";
import { cacheFolder } from "./options.ts";

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

export interface EvaluateOptions {
  /** How many tokens were predicted so far, of how many. */
  onProgress?: (event: { tokens: number; of: number }) => void;
  /** Ends the evaluation with the signal's reason. */
  signal?: AbortSignal;
  /** Where the tokens of a text too large for memory are kept, as in a training. */
  cache?: string | false;
}

const evaluateSchema = recordOf({
  onProgress: v.optional(functionOf<NonNullable<EvaluateOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
  cache: v.optional(cacheFolder),
} satisfies SchemasOf<EvaluateOptions>);

export function checkEvaluateOptions(where: string, options: EvaluateOptions) {
  return checkOptions(where, evaluateSchema, options);
}

/** Floats that the logits of a chunk may take. */
const CHUNK_FLOATS = 2 ** 21;

/**
 * −ln P of every token but the first, given all those before it, in chunks: one continuous stream with carried state, as
 * figures for texts are published. The size of the chunks, which is memory's concern, changes no bit. Returns the state
 * before the last token is read, for `state` to go on from.
 */
export function* tokenLosses(
  network: LanguageModelNetwork,
  tokens: TokenSequence,
  chunk = chunkSize(network),
  state?: NetworkState,
): Generator<Float32Array, NetworkState | undefined> {
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
  return state;
}

function chunkSize({ config }: LanguageModelNetwork): number {
  return Math.min(512, Math.max(16, Math.floor(CHUNK_FLOATS / config.vocabularySize)));
}

/** Scores a whole text, giving the event loop its turns; undefined once aborted. */
export async function evaluateTokens(
  network: LanguageModelNetwork,
  tokens: TokenSequence,
  signal?: AbortSignal,
  onProgress?: EvaluateOptions["onProgress"],
): Promise<Evaluation | undefined> {
  const pause = eventLoopTurns();
  const of = tokens.length - 1;
  let sum = 0;
  let done = 0;
  for (const losses of tokenLosses(network.eval(), tokens)) {
    if (signal?.aborted) return undefined;
    for (const loss of losses) sum += loss;
    done += losses.length;
    onProgress?.({ tokens: done, of });
    await pause();
  }
  const loss = sum / of;
  return { tokens: of, loss, perplexity: perplexity(loss), bitsPerToken: bitsPerToken(loss) };
}
