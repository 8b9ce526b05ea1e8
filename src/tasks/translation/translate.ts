import * as v from "valibot";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { UNK } from "../../data/text/words.ts";
import { beamEntries } from "../../decoding/beam-search.ts";
import { OptionError } from "../../errors.ts";
import {
  checkOptions,
  functionOf,
  numberIn,
  recordOf,
  type SchemasOf,
  text,
  trueOrFalse,
} from "../../options.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { type Decoded, type DecodeOptions, type DecodeSource, decodeBatch } from "./decode.ts";
import { decodeSentence, encodeSentence, type Languages, wordsOf } from "./languages.ts";
import type { TranslationParts } from "./load.ts";
import type { TranslationNetwork } from "./network.ts";

export interface TranslateOptions extends DecodeOptions {
  /** What each translation begins with. Default: nothing. */
  prefix?: string;
  /** Of words: write, for one that is unknown, the source's word that was looked at most. Default false. */
  replaceUnknown?: boolean;
  /** How many sentences are done, of how many. */
  onProgress?: (event: { sentences: number; of: number }) => void;
  /** Ends it with the signal's reason. */
  signal?: AbortSignal;
}

export const translateSchema = recordOf({
  ...beamEntries,
  coveragePenalty: v.optional(numberIn({ from: 0, to: 10 }), 0),
  prefix: v.optional(text(), ""),
  replaceUnknown: v.optional(trueOrFalse(), false),
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
  sources: readonly DecodeSource[],
  options: DecodeOptions,
  { signal, onProgress }: Pick<TranslateOptions, "signal" | "onProgress"> = {},
): Promise<Decoded[][] | undefined> {
  const { beam = 1 } = options;
  const pause = eventLoopTurns();
  const lengthOf = (i: number) => sources[i]!.tokens.length;
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
      options,
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
  const { attention, prefix, replaceUnknown, signal, onProgress, ...search } = checkOptions(
    where,
    translateSchema,
    options,
  );
  checkSearch({ languages, networks }, { attention, replaceUnknown, ...search });
  const begins = encodeSentence(languages.target, prefix, "prefix");
  const translations = sentences.map(
    (): Translation => ({ text: "", logProbability: 0, score: 0, notes: [] }),
  );
  const sources: DecodeSource[] = [];
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
    sources.push({ tokens: config.reverseSource ? tokens.toReversed() : tokens, prefix: begins });
    places.push(i);
  }
  const decoding = { ...search, attention: attention || replaceUnknown };
  const found = await translateTokens(networks, sources, decoding, {
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  signal?.throwIfAborted();
  const { source: from, target: to } = languages;
  for (const [k, given] of found!.entries()) {
    const place = places[k]!;
    const translation = translations[place]!;
    const list = config.reverseSource ? given.map(inReadingOrder) : given;
    const alternatives = list.map((one) => ({
      text: replaceUnknown
        ? withoutUnknown(one, wordsOf(from, sentences[place]!), to)
        : decodeSentence(to, one.tokens),
      logProbability: one.logProbability,
      score: one.score,
    }));
    const [best] = list as [Decoded];
    Object.assign(translation, alternatives[0]);
    if (search.nBest > 1) translation.alternatives = alternatives;
    if (best.truncated) {
      translation.notes.push(
        `line ${place + 1}: its translation was cut off after ${best.tokens.length} tokens`,
      );
    }
    if (!attention) continue;
    const read = Array.from(sources[k]!.tokens, (token) => from.name(token - 1));
    translation.attention = {
      source: config.reverseSource ? read.reverse() : read,
      target: best.tokens.map((token) => to.name(token - 1)),
      weights: best.attention!,
    };
  }
  return translations;
}

const where = "Translator.translate";

function checkSearch(
  { languages, networks }: { languages: Languages; networks: readonly TranslationNetwork[] },
  options: Required<
    Pick<TranslateOptions, "beam" | "nBest" | "attention" | "replaceUnknown" | "coveragePenalty">
  >,
): void {
  const { beam, nBest, attention, replaceUnknown, coveragePenalty } = options;
  if (nBest > beam) throw new OptionError(`${where}: nBest must be at most beam, ${beam}, got ${nBest}`);
  for (const [name, asked] of Object.entries({
    attention,
    replaceUnknown,
    coveragePenalty: coveragePenalty > 0,
  })) {
    if (!asked || networks[0]!.attention) continue;
    throw new OptionError(`${where}: ${name} is of models that have attention, and this one has none`);
  }
  if (replaceUnknown && languages.target.unit !== "word") {
    throw new OptionError(
      `${where}: replaceUnknown is of models of words, got one of ${languages.target.unit}`,
    );
  }
}

/** A source that was read from its end, looked at from its beginning. */
const inReadingOrder = (one: Decoded): Decoded =>
  one.attention ? { ...one, attention: one.attention.map((weights) => weights.toReversed()) } : one;

/** The text, each unknown word replaced by the source's that was looked at most (Jean et al. 2015, §3.3). */
function withoutUnknown({ tokens, attention }: Decoded, words: readonly string[], to: Tokenizer): string {
  const copied = tokens.flatMap((token, t) => {
    if (token - 1 !== to.unknown) return [];
    const weights = attention![t]!;
    return [words[weights.indexOf(Math.max(...weights))]!];
  });
  return decodeSentence(to, tokens).replaceAll(UNK, () => copied.shift() ?? UNK);
}
