import * as v from "valibot";
import { type BeamOptions, beamEntries } from "../../decoding/beam-search.ts";
import { OptionError } from "../../errors.ts";
import { checkOptions, functionOf, recordOf, type SchemasOf, trueOrFalse } from "../../options.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { type Decoded, decodeBatch } from "./decode.ts";
import { decodeSentence, encodeSentence } from "./languages.ts";
import type { TranslationParts } from "./load.ts";
import type { TranslationNetwork } from "./network.ts";

export interface TranslateOptions extends BeamOptions {
  /** Say where was looked, of models that look. Default false. */
  attention?: boolean;
  /** How many sentences are done, of how many. */
  onProgress?: (event: { sentences: number; of: number }) => void;
  /** Ends it with the signal's reason. */
  signal?: AbortSignal;
}

export const translateSchema = recordOf({
  ...beamEntries,
  attention: v.optional(trueOrFalse(), false),
  onProgress: v.optional(functionOf<NonNullable<TranslateOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<TranslateOptions>);

/** One way to say a sentence. */
export interface Alternative {
  text: string;
  /** ln P of its tokens and the end. */
  logProbability: number;
  /** What alternatives are ranked by: that, by the length penalty. */
  score: number;
}

export interface Translation extends Alternative {
  /** The best and others, if `nBest` asks for more than one. */
  alternatives?: Alternative[];
  /** With `attention`: tokens, and the weight of each of the source's for each of the target's and the end. */
  attention?: { source: string[]; target: string[]; weights: Float32Array[] };
  /** What is not as asked: the source or the translation was cut off. */
  notes: string[];
}

/** Hypotheses times steps of sources that are decoded at once. */
const BATCH = 8192;

/** Translations of tokens, in the order given, sentences of like lengths side by side; undefined once aborted. */
export async function translateTokens(
  networks: readonly TranslationNetwork[],
  sources: readonly Int32Array[],
  { beam = 1, nBest = 1, lengthPenalty = 1 }: BeamOptions,
  { attention, signal, onProgress }: Pick<TranslateOptions, "attention" | "signal" | "onProgress"> = {},
): Promise<Decoded[][] | undefined> {
  const pause = eventLoopTurns();
  const lengthOf = (i: number) => sources[i]!.length;
  const order = Array.from(sources.keys()).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  const out: Decoded[][] = new Array(sources.length);
  for (let from = 0; from < order.length; ) {
    if (signal?.aborted) return undefined;
    let to = from + 1;
    while (to < order.length && (to + 1 - from) * beam * (lengthOf(order[to]!) + 8) <= BATCH) to++;
    const chosen = order.slice(from, to);
    const found = decodeBatch(
      networks,
      chosen.map((i) => sources[i]!),
      { beam, nBest, lengthPenalty },
      attention ? { attention } : {},
    );
    for (const [n, i] of chosen.entries()) out[i] = found[n]!;
    from = to;
    onProgress?.({ sentences: from, of: order.length });
    await pause();
  }
  return out;
}

/** Translations of sentences; a blank one is blank. */
export async function translateSentences(
  { languages, config, networks }: TranslationParts & { networks: readonly TranslationNetwork[] },
  sentences: readonly string[],
  options: TranslateOptions,
): Promise<Translation[]> {
  const { attention, signal, onProgress, ...search } = checkOptions(
    "Translator.translate",
    translateSchema,
    options,
  );
  if (search.nBest > search.beam) {
    throw new OptionError(
      `Translator.translate: nBest must be at most beam, ${search.beam}, got ${search.nBest}`,
    );
  }
  if (attention && !networks[0]!.attention) {
    throw new OptionError("Translator.translate: attention is of models that have it, and this one has none");
  }
  const translations = sentences.map(
    (): Translation => ({ text: "", logProbability: 0, score: 0, notes: [] }),
  );
  const sources: Int32Array[] = [];
  const places: number[] = [];
  for (const [i, sentence] of sentences.entries()) {
    if (sentence.trim() === "") continue;
    let tokens = encodeSentence(languages.source, sentence, `line ${i + 1}`);
    if (tokens.length === 0) continue;
    if (tokens.length > config.maxLength) {
      translations[i]!.notes.push(
        `line ${i + 1}: has ${tokens.length} tokens, of which the first ${config.maxLength} are translated`,
      );
      tokens = tokens.slice(0, config.maxLength);
    }
    sources.push(config.reverseSource ? tokens.toReversed() : tokens);
    places.push(i);
  }
  const found = await translateTokens(networks, sources, search, {
    attention,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  signal?.throwIfAborted();
  const { source: from, target: to } = languages;
  for (const [k, list] of found!.entries()) {
    const translation = translations[places[k]!]!;
    const alternatives = list.map(({ tokens, logProbability, score }) => ({
      text: decodeSentence(to, tokens),
      logProbability,
      score,
    }));
    const [best] = list as [Decoded];
    Object.assign(translation, alternatives[0]);
    if (search.nBest > 1) translation.alternatives = alternatives;
    if (best.truncated) {
      translation.notes.push(
        `line ${places[k]! + 1}: its translation was cut off after ${best.tokens.length} tokens`,
      );
    }
    if (!best.attention) continue;
    const read = Array.from(sources[k]!, (token) => from.name(token - 1));
    const target = best.tokens.map((token) => to.name(token - 1));
    const inOrder = config.reverseSource
      ? best.attention.map((weights) => weights.toReversed())
      : best.attention;
    translation.attention = {
      source: config.reverseSource ? read.reverse() : read,
      target,
      weights: inOrder,
    };
  }
  return translations;
}
