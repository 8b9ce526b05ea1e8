import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import type { TokenSequence } from "../../data/text/tokens.ts";
import { bitsPerToken, perplexity } from "../../metrics/perplexity.ts";
import { checkOptions, functionOf, numberIn, recordOf, type SchemasOf, trueOrFalse } from "../../options.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { cacheFolder } from "./choices.ts";
import type { LanguageModelNetwork, NetworkState, Reading } from "./network.ts";

export interface Evaluation {
  /** How many tokens were predicted: all but the first. */
  tokens: number;
  /** Mean −ln P of a token given all those before it, in nats. */
  loss: number;
  /** e^loss */
  perplexity: number;
  /** loss / ln 2 */
  bitsPerToken: number;
  /** With `ranks`: the mean of 1 / the token's rank among all, by their probability. */
  meanReciprocalRank?: number;
}

export interface EvaluateOptions {
  /** How many tokens were predicted so far, of how many. */
  onProgress?: (event: { tokens: number; of: number }) => void;
  /** Ends the evaluation with the signal's reason. */
  signal?: AbortSignal;
  /** Where the tokens of a text too large for memory are kept, as in a training. */
  cache?: string | false;
  /** Find the rank of each token too, line by line, line breaks not counted; not together with the two below. Default false. */
  ranks?: boolean;
  /** Go on learning while reading, by SGD at this rate for each token; the model is afterwards as before. Default: not. */
  dynamic?: number;
  /** Mix in what the last tokens of the text make likely; not together with `dynamic` or `ranks`. Default: not. */
  neuralCache?: NeuralCacheOptions;
}

const evaluateSchema = recordOf({
  onProgress: v.optional(functionOf<NonNullable<EvaluateOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
  cache: v.optional(cacheFolder),
  ranks: v.optional(trueOrFalse(), false),
  dynamic: v.optional(numberIn({ above: 0 })),
  // What is in it is checked by who uses it.
  neuralCache: v.optional(
    v.custom<NeuralCacheOptions>(
      (x) => typeof x === "object" && x !== null,
      "must be an object such as { size: 500 }",
    ),
  ),
} satisfies SchemasOf<EvaluateOptions>);

export function checkEvaluateOptions(where: string, options: EvaluateOptions) {
  return checkOptions(where, evaluateSchema, options);
}

/** What a neural cache of the last tokens adds to a network, see `cachedTokenLosses` (Grave et al. 2017). */
export interface NeuralCacheOptions {
  /** N, how many tokens it remembers. */
  size: number;
  /** θ, how much a state must be like that of now to count. Default 0.3. */
  theta?: number;
  /** λ, the cache's part of the probability. Default 0.1. */
  lambda?: number;
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
  lossOf: (reading: Reading, state?: NetworkState) => { loss: Tensor; state: NetworkState } = (
    reading,
    state,
  ) => network.loss(reading, state, { reduction: "none" }),
): Generator<Float32Array, NetworkState | undefined> {
  network.refuseBidirectional("score a text");
  const { resetAt } = network.config;
  const end = tokens.length - 1;
  for (let from = 0, steps = 0; from < end; from += steps) {
    const window = tokens.slice(from, Math.min(from + chunk, end) + 1);
    steps = window.length - 1;
    if (resetAt !== undefined) {
      // A sentence that is on its own begins a chunk.
      if (window[0] === resetAt) state = undefined;
      const next = window.subarray(1, steps).indexOf(resetAt);
      if (next >= 0) steps = next + 1;
    }
    const inputs = tensor(window.subarray(0, steps), [steps, 1]);
    const targets = tensor(window.subarray(1, steps + 1), [steps, 1]);
    const made = step(() => noGrad(() => lossOf({ inputs, targets }, state)));
    state = made.state;
    yield made.loss.toArray() as Float32Array;
  }
  return state;
}

/** Gives each word that is unknown its even share of the probability of all of them (Mikolov et al. 2010, §2). */
export function* shareAmongRare<State>(
  losses: Iterator<Float32Array, State>,
  tokens: TokenSequence,
  { unknown, rareWords }: Tokenizer,
): Generator<Float32Array, State> {
  let from = 1;
  for (;;) {
    const { value: chunk, done } = losses.next();
    if (done) return chunk;
    if (rareWords !== undefined) {
      const share = Math.log(rareWords);
      tokens.slice(from, from + chunk.length).forEach((token, i) => {
        if (token === unknown) chunk[i]! += share;
      });
    }
    from += chunk.length;
    yield chunk;
  }
}

/** How many tokens are read at once. */
export function chunkSize({ config: { vocabularySize, classes } }: LanguageModelNetwork): number {
  const width = classes ? Math.ceil(vocabularySize / classes.length) : vocabularySize;
  return Math.min(512, Math.max(16, Math.floor(CHUNK_FLOATS / width)));
}

/** Means over a whole text, giving the event loop its turns; undefined once aborted. `losses` has one for all but the first. */
export async function evaluateLosses(
  losses: Iterable<Float32Array>,
  of: number,
  signal?: AbortSignal,
  onProgress?: EvaluateOptions["onProgress"],
): Promise<Evaluation | undefined> {
  const pause = eventLoopTurns();
  let sum = 0;
  let done = 0;
  for (const chunk of losses) {
    if (signal?.aborted) return undefined;
    for (const loss of chunk) sum += loss;
    done += chunk.length;
    onProgress?.({ tokens: done, of });
    await pause();
  }
  const loss = sum / of;
  return { tokens: of, loss, perplexity: perplexity(loss), bitsPerToken: bitsPerToken(loss) };
}
