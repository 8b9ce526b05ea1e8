import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { DataError } from "../../errors.ts";
import { shareAmongRare, tokenLosses } from "../language-model/evaluate.ts";
import type { LanguageModelNetwork, NetworkState } from "../language-model/network.ts";
import type { TextModel } from "../load-model.ts";
import { NgramModel } from "../ngram-model/model.ts";

/** Scores tokens piece by piece; what it has read is a context, which stays as it is and may be gone on from again. */
export interface Scorer<Context = unknown> {
  /** At the beginning of a line that nothing stands before. */
  readonly start: Context;
  /** ln P of each token, and the context behind them. */
  score(tokens: Int32Array, context: Context): { logProbs: Float64Array; context: Context };
}

export function scorerOf(model: TextModel): Scorer {
  const { lineBreak } = model.tokenizer;
  if (lineBreak === undefined) {
    throw new DataError("model: has never seen a line break, which texts are taken to follow");
  }
  return model instanceof NgramModel
    ? new NgramScorer(model)
    : new NetworkScorer(model.network.eval(), model.tokenizer, lineBreak);
}

class NgramScorer implements Scorer<number> {
  readonly start: number;
  readonly #model: NgramModel;

  constructor(model: NgramModel) {
    this.#model = model;
    this.start = model.start;
  }

  score(tokens: Int32Array, context: number) {
    const logProbs = new Float64Array(tokens.length);
    for (let i = 0; i < tokens.length; i++) {
      context = this.#model.step(context, tokens[i]!);
      logProbs[i] = this.#model.logProb;
    }
    return { logProbs, context };
  }
}

/** The last token, which the network has yet to read, and its state before that. */
interface NetworkContext {
  token: number;
  state: NetworkState | undefined;
}

class NetworkScorer implements Scorer<NetworkContext> {
  readonly start: NetworkContext;
  readonly #network: LanguageModelNetwork;
  readonly #tokenizer: Tokenizer;

  constructor(network: LanguageModelNetwork, tokenizer: Tokenizer, lineBreak: number) {
    this.#network = network;
    this.#tokenizer = tokenizer;
    this.start = { token: lineBreak, state: undefined };
  }

  score(tokens: Int32Array, { token, state }: NetworkContext) {
    const logProbs = new Float64Array(tokens.length);
    const read = after(token, tokens);
    const losses = shareAmongRare(tokenLosses(this.#network, read, undefined, state), read, this.#tokenizer);
    let at = 0;
    for (;;) {
      const { value, done } = losses.next();
      if (done) return { logProbs, context: { token: tokens.at(-1) ?? token, state: value ?? state } };
      for (const loss of value) logProbs[at++] = -loss;
    }
  }
}

/** Tokens with one before them. */
function after(token: number, tokens: Int32Array): Int32Array {
  const all = new Int32Array(tokens.length + 1);
  all[0] = token;
  all.set(tokens, 1);
  return all;
}
