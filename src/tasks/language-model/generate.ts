import * as v from "valibot";
import type { TokenDecoder } from "../../data/text/tokenizer.ts";
import { type SamplingOptions, sampleToken } from "../../decoding/sampling.ts";
import { StopStrings } from "../../decoding/stop-strings.ts";
import { checkOptions, numberIn, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import { Generator } from "../../tensor/random.ts";
import type { TokenStream } from "./stream.ts";

export interface GenerateOptions extends SamplingOptions {
  /** The most tokens to write. Default 200. */
  maxTokens?: number;
  /** The same seed writes the same text. Default: another each time. */
  seed?: number;
  /** Strings to stop before. */
  stop?: string | readonly string[];
}

const MAX_COUNT = 2 ** 31 - 1;
const stopString = v.pipe(v.string("must be a string"), v.nonEmpty("must not be empty"));

const schema = recordOf({
  maxTokens: v.optional(wholeNumber(0, MAX_COUNT), 200),
  temperature: v.optional(numberIn({ from: 0 }), 1),
  topK: v.optional(wholeNumber(1, MAX_COUNT)),
  topP: v.optional(numberIn({ above: 0, to: 1 })),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  stop: v.optional(
    v.union([stopString, v.array(stopString)], "must be a string or an array of strings, none empty"),
  ),
} satisfies SchemasOf<GenerateOptions>);

export type ResolvedGenerateOptions = v.InferOutput<typeof schema>;

export function checkGenerateOptions(where: string, options: GenerateOptions): ResolvedGenerateOptions {
  return checkOptions(where, schema, options);
}

/**
 * Writes on after the prompt's tokens, of which there is at least one, and gives the text in the pieces in which it
 * becomes certain. The token `never` is not drawn.
 */
export function* continueText(
  stream: TokenStream,
  prompt: Int32Array,
  decoder: TokenDecoder,
  never: number | undefined,
  { maxTokens, seed, stop = [], ...sampling }: ResolvedGenerateOptions,
): IterableIterator<string> {
  const generator = new Generator(seed ?? Math.floor(Math.random() * 2 ** 32));
  const stops = new StopStrings(typeof stop === "string" ? [stop] : stop);
  for (const token of prompt.subarray(0, -1)) stream.step(token);
  let token = prompt.at(-1)!;
  for (let i = 0; i < maxTokens && !stops.found; i++) {
    const logits = stream.step(token);
    if (never !== undefined) logits[never] = Number.NEGATIVE_INFINITY;
    token = sampleToken(logits, sampling, generator);
    const piece = stops.push(decoder.push(token));
    if (piece) yield piece;
  }
  const rest = stops.push(decoder.end()) + stops.end();
  if (rest) yield rest;
}
