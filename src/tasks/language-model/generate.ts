import * as v from "valibot";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { type SamplingOptions, sampleToken } from "../../decoding/sampling.ts";
import { StopStrings } from "../../decoding/stop-strings.ts";
import { checkOptions, numberIn, recordOf, type SchemasOf, text, wholeNumber } from "../../options.ts";
import { Generator } from "../../tensor/random.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import type { StreamState, TokenStream } from "./stream.ts";

export interface GenerateOptions extends SamplingOptions {
  /** The most tokens to write. Default 200. */
  maxTokens?: number;
  /** The same seed writes the same text. Default: another each time. */
  seed?: number;
  /** Strings to stop before. */
  stop?: string | readonly string[];
  /** Where an earlier stream was, to go on from there as if it had never stopped; a prompt comes on top of it. */
  state?: GenerationState;
  /** Ends `for await` with the signal's reason. */
  signal?: AbortSignal;
}

/** Where a stream of text is: plain numbers and strings, which JSON and structuredClone carry anywhere. */
export interface GenerationState {
  /** What the recurrent layers hold, by its name: h, c; of an n-gram model, what it remembers of the text. */
  layers: Record<string, number[]>;
  /** The last token, which the network has yet to read. */
  token: number;
  /** The seed, and how many tokens were drawn with it. */
  seed: number;
  drawn: number;
  /** What has a say in how the next token is spelt: the end of the prompt, then the tokens written last. */
  after: string;
  recent: number[];
  /** Text that may turn out to be the beginning of a stop string. */
  held: string;
}

const MAX_COUNT = 2 ** 31 - 1;
const stopString = v.pipe(v.string("must be a string"), v.nonEmpty("must not be empty"));

const generationState = recordOf({
  layers: v.record(v.string(), v.array(v.number())),
  token: wholeNumber(0, MAX_COUNT),
  seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  drawn: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  after: text(),
  recent: v.array(wholeNumber(0, MAX_COUNT)),
  held: text(),
} satisfies SchemasOf<GenerationState>);

const schema = recordOf({
  maxTokens: v.optional(wholeNumber(0, MAX_COUNT), 200),
  temperature: v.optional(numberIn({ from: 0 }), 1),
  topK: v.optional(wholeNumber(1, MAX_COUNT)),
  topP: v.optional(numberIn({ above: 0, to: 1 })),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  stop: v.optional(
    v.union([stopString, v.array(stopString)], "must be a string or an array of strings, none empty"),
  ),
  state: v.optional(generationState),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<GenerateOptions>);

export type ResolvedGenerateOptions = v.InferOutput<typeof schema>;

export function checkGenerateOptions(where: string, options: GenerateOptions): ResolvedGenerateOptions {
  return checkOptions(where, schema, options);
}

/** Tokens that hold all of an unfinished character, and more. */
const RECENT = 4;
/** Characters that hold the last word. */
const AFTER = 100;

/**
 * A text that comes piece by piece: `for (const piece of stream)`, or `for await`, which gives the event loop its turns
 * and heeds a signal. It is written while it is read, once.
 */
export class TextStream implements Iterable<string>, AsyncIterable<string> {
  readonly #network: TokenStream;
  readonly #pieces: IterableIterator<string>;
  readonly #options: ResolvedGenerateOptions;
  #at: Omit<GenerationState, "layers">;

  /** @internal `prompt` is what to read first, and how it ends; there must be a state or a token. */
  constructor(
    model: { stream(from?: StreamState): TokenStream; tokenizer: Tokenizer },
    prompt: { tokens: Int32Array; text: string },
    options: ResolvedGenerateOptions,
  ) {
    const { state } = options;
    const tokens = state ? [state.token, ...prompt.tokens] : prompt.tokens;
    const spelling =
      state && prompt.tokens.length === 0 ? state : { after: prompt.text, recent: [], held: "" };
    this.#network = model.stream(state?.layers);
    this.#options = options;
    this.#at = {
      token: tokens.at(-1)!,
      seed: options.seed ?? state?.seed ?? Math.floor(Math.random() * 2 ** 32),
      drawn: state?.drawn ?? 0,
      after: spelling.after.slice(-AFTER),
      recent: spelling.recent,
      held: spelling.held,
    };
    this.#pieces = this.#write(model.tokenizer, tokens.slice(0, -1));
  }

  /** Where the stream is, for `generate` to go on from, perhaps in another process. */
  state(): GenerationState {
    return { layers: this.#network.state(), ...this.#at };
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#pieces;
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<string> {
    const pause = eventLoopTurns();
    const { signal } = this.#options;
    signal?.throwIfAborted();
    for (const piece of this.#pieces) {
      yield piece;
      await pause();
      signal?.throwIfAborted();
    }
  }

  *#write(tokenizer: Tokenizer, before: Iterable<number>): IterableIterator<string> {
    const { maxTokens, stop = [], ...sampling } = this.#options;
    const at = this.#at;
    const decoder = tokenizer.decoder(at.after);
    for (const token of at.recent) decoder.push(token);
    const stops = new StopStrings(typeof stop === "string" ? [stop] : stop);
    let piece = stops.push(at.held);
    for (const token of before) this.#network.step(token);
    for (let i = 0; i < maxTokens && !stops.found; i++) {
      const logits = this.#network.step(at.token);
      // What stands for all that is unknown is never written.
      if (tokenizer.unknown !== undefined) logits[tokenizer.unknown] = Number.NEGATIVE_INFINITY;
      at.token = sampleToken(logits, sampling, new Generator(at.seed, at.drawn++));
      at.recent = [...at.recent, at.token].slice(-RECENT);
      piece += stops.push(decoder.push(at.token));
      at.held = stops.held;
      if (piece) yield piece;
      piece = "";
    }
    const rest = piece + stops.push(decoder.end()) + stops.end();
    at.held = "";
    if (rest) yield rest;
  }
}
