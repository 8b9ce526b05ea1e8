import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import type { TokenSequence } from "../../data/text/tokens.ts";
import { DataError } from "../../errors.ts";
import { type GradientNorms, gradientNorms } from "../../nn/recurrent/gradient-norms.ts";
import type { LSTM, LSTMState } from "../../nn/recurrent/lstm.ts";
import { checkOptions, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import { tensor } from "../../tensor/tensor.ts";
import { readTokens } from "./data.ts";
import type { LanguageModel } from "./model.ts";
import type { TextSource } from "./options.ts";
import { nameOf } from "./sources.ts";

export interface LanguageModelGradientOptions {
  /** Text to read. Default: what the model writes itself. */
  text?: TextSource;
  /** Steps back in time. Default 100. */
  length?: number;
  /** Places in the text, evenly spread. Default 8. */
  samples?: number;
  /** Of what the model writes. Default 1. */
  seed?: number;
}

const schema = recordOf({
  text: v.optional(v.custom<TextSource>((x) => x !== null && ["string", "object"].includes(typeof x))),
  length: v.optional(wholeNumber(1, 1_000_000), 100),
  samples: v.optional(wholeNumber(1, 1000), 8),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
} satisfies SchemasOf<LanguageModelGradientOptions>);

/**
 * How much the state of a language model depends on that before each of the tokens it has read last, see `gradientNorms`.
 * The model comes to each place through as many tokens again.
 */
export async function languageModelGradients(
  model: LanguageModel,
  options: LanguageModelGradientOptions = {},
): Promise<GradientNorms[]> {
  const { text, length, samples, seed } = checkOptions("gradients", schema, options);
  const written = () => ({ text: model.generate("", { maxTokens: 2 * length * samples, seed }) });
  const source = text ?? written();
  const { tokens, close } = await readTokens(source, model.tokenizer);
  try {
    if (tokens.length < 2 * length) {
      throw new DataError(`${nameOf(source)}: must have ${2 * length} tokens or more, got ${tokens.length}`, {
        hint: "give a longer text, or look less far back with a smaller length",
      });
    }
    const { embedding, rnn } = model.network.eval();
    const places = Array.from({ length: samples }, (_, n) =>
      Math.floor(((tokens.length - 2 * length) * n) / Math.max(1, samples - 1)),
    );
    const embed = (offset: number) =>
      step(() => noGrad(() => embedding.forward(windows(tokens, places, offset, length))));
    // Which state belongs to which layer, the type of `rnn` does not say.
    const layer = rnn as LSTM;
    const before = embed(0);
    const state = step(() => noGrad(() => layer.forward(before).state)) as LSTMState;
    return gradientNorms(layer, embed(length), { state });
  } finally {
    close();
  }
}

/** Tokens from `offset` after each place: [length, places]. */
function windows(tokens: TokenSequence, places: readonly number[], offset: number, length: number) {
  const values = new Int32Array(length * places.length);
  for (const [n, place] of places.entries()) {
    const window = tokens.slice(place + offset, place + offset + length);
    for (let t = 0; t < length; t++) values[t * places.length + n] = window[t]!;
  }
  return tensor(values, [length, places.length]);
}
