import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { fallsOn } from "../../ops/falls-on.ts";
import { softmax } from "../../ops/softmax.ts";
import { checkOptions, functionOf, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import { Generator } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import type { LanguageModelNetwork, NetworkState } from "./network.ts";

export interface SampleOptions {
  /** Tokens in all, shared evenly among the streams. */
  tokens: number;
  /** Texts that are written side by side. Default 100. */
  streams?: number;
  /** The same seed writes the same texts. Default 1. */
  seed?: number;
  /** How many tokens were written so far, of how many. */
  onProgress?: (event: { tokens: number; of: number }) => void;
  /** Ends the writing with the signal's reason. */
  signal?: AbortSignal;
}

const schema = recordOf({
  tokens: wholeNumber(1, 2 ** 31 - 1),
  streams: v.optional(wholeNumber(1, 65_536), 100),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
  onProgress: v.optional(functionOf<NonNullable<SampleOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<SampleOptions>);

/**
 * Texts drawn from a model as it is, `<unk>` and all: what another model, of n-grams say, can learn from in its place.
 * All streams take a step at once, so that a word costs a small part of what it costs in `generate`.
 */
export async function sampleTexts(
  network: LanguageModelNetwork,
  tokenizer: Tokenizer,
  options: SampleOptions,
): Promise<string[]> {
  const checked = checkOptions("LanguageModel.sample", schema, options);
  const { tokens: total, seed, onProgress, signal } = checked;
  const streams = Math.min(checked.streams, total);
  const length = Math.ceil(total / streams);
  const texts = Array.from({ length: streams }, () => new Int32Array(length));
  const pause = eventLoopTurns();
  network.eval();
  let state: NetworkState | undefined;
  let last = new Int32Array(streams).fill(tokenizer.lineBreak ?? 0);
  for (let t = 0; t < length; t++) {
    const generator = new Generator(seed, t);
    const uniform = Float32Array.from({ length: 2 * streams }, () => generator.uniform());
    const made = step(() =>
      noGrad(() => drawNext(network, tensor(last, [1, streams]), tensor(uniform, [1, streams, 2]), state)),
    );
    state = made.state;
    last = made.tokens.toArray() as Int32Array<ArrayBuffer>;
    for (let n = 0; n < streams; n++) texts[n]![t] = last[n]!;
    onProgress?.({ tokens: (t + 1) * streams, of: length * streams });
    await pause();
    signal?.throwIfAborted();
  }
  return texts.map((tokens) => tokenizer.decode(tokens));
}

/** The tokens that come after [1, N], drawn with two numbers in [0, 1) each: uniform [1, N, 2]. */
function drawNext(
  network: LanguageModelNetwork,
  tokens: Tensor,
  uniform: Tensor,
  state?: NetworkState,
): { tokens: Tensor; state: NetworkState } {
  const { hidden, hashes, state: next } = network.read(tokens, state && begunAnew(network, tokens, state));
  const x = network.compress(hidden);
  const { output } = network;
  if ("sample" in output) return { tokens: output.sample(x, uniform, hashes), state: next };
  const probs = softmax(output.forward(x)); // of logits, or of ln P
  const width = network.config.vocabularySize;
  const values = probs.toArray() as Float32Array;
  const numbers = uniform.toArray();
  const drawn = Int32Array.from({ length: probs.size / width }, (_, n) =>
    fallsOn(values, n * width, width, numbers[2 * n]!),
  );
  return { tokens: tensor(drawn, tokens.shape), state: next };
}

/** The state without what is forgotten before these tokens [1, N]. */
function begunAnew(network: LanguageModelNetwork, tokens: Tensor, state: NetworkState): NetworkState {
  if (network.config.resetAt === undefined) return state;
  const anew = [...tokens.toArray()].map((token) => network.beginsAnewAt(token));
  const zeros = Object.entries<Tensor>(network.zeroState(anew.length));
  return Object.fromEntries(
    zeros.map(([name, zero]) => {
      const values = (state as unknown as Record<string, Tensor>)[name]!.toArray();
      const nothing = zero.toArray();
      // Of [..., N, width], or of [..., N].
      const width = name === "before" ? 1 : zero.shape.at(-1)!;
      for (let i = 0; i < values.length; i++) {
        if (anew[Math.floor(i / width) % anew.length]) values[i] = nothing[i]!;
      }
      return [name, tensor(values, zero.shape)];
    }),
  ) as unknown as NetworkState;
}
