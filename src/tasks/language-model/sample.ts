import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { checkOptions, functionOf, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import { Generator } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
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
      noGrad(() => network.sample(tensor(last, [1, streams]), tensor(uniform, [1, streams, 2]), state)),
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
