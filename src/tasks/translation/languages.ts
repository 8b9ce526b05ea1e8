import * as v from "valibot";
import { CharTokenizer } from "../../data/text/char-tokenizer.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { tokenizerFromJSON } from "../../data/text/tokenizer-json.ts";
import type { MosesTokenizer } from "../../data/text/translation/moses-tokenizer.ts";
import { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { splitWords } from "../../data/text/words.ts";
import { BOUNDARY } from "../../decoding/decoder-steps.ts";
import { checkContent, recordOf } from "../../options.ts";
import type { ResolvedOptions } from "./options.ts";

/** How the sentences of both languages become tokens; one and the same tokenizer if they share them. */
export interface Languages {
  source: Tokenizer;
  target: Tokenizer;
}

const files = recordOf({ source: v.unknown(), target: v.optional(v.unknown()) });

/** What tokenizer.json holds: `{ source, target }`, or `source` alone if the languages share it. */
export function languagesToJSON({ source, target }: Languages): Record<string, unknown> {
  return { source: source.toJSON(), ...(target !== source && { target: target.toJSON() }) };
}

export async function languagesFromJSON(json: unknown, file: string): Promise<Languages> {
  const { source: own, target: other } = checkContent(file, files, json);
  const source = await read(own, `${file}: source`);
  return { source, target: other === undefined ? source : await read(other, `${file}: target`) };
}

async function read(json: unknown, file: string): Promise<Tokenizer> {
  if (typeof json !== "object" || json === null || !("language" in json))
    return tokenizerFromJSON(json, file);
  // A page that translates sub-words need not know how languages are cut into words.
  const { MosesTokenizer } = await import("../../data/text/translation/moses-tokenizer.ts");
  return MosesTokenizer.fromJSON(json, file);
}

/** The tokenizers of sentences that are learnt from. */
export async function learnLanguages(
  source: readonly string[],
  target: readonly string[],
  options: ResolvedOptions,
): Promise<Languages> {
  if (!options.joint) {
    const { sourceLanguage, targetLanguage } = options;
    return {
      source: await learn(source, options, sourceLanguage),
      target: await learn(target, options, targetLanguage),
    };
  }
  const both = await learn([...source, ...target], options, undefined);
  return { source: both, target: both };
}

async function learn(
  sentences: readonly string[],
  { unit, vocabularySize, minCount, lowercase }: ResolvedOptions,
  language: string | undefined,
): Promise<Tokenizer> {
  const text = sentences.join("\n");
  if (unit === "char") return CharTokenizer.of(text);
  if (unit === "word") {
    const counts = {
      lowercase,
      ...(minCount !== undefined && { minCount }),
      ...(vocabularySize !== undefined && { maxVocabulary: vocabularySize }),
    };
    if (language === undefined) return WordTokenizer.of(text, { split: "punctuation", ...counts });
    const { MosesTokenizer } = await import("../../data/text/translation/moses-tokenizer.ts");
    return MosesTokenizer.of(sentences, language, counts);
  }
  const { trainBpe } = await import("../../data/text/bpe/train.ts");
  return trainBpe([text], { ...(vocabularySize !== undefined && { vocabularySize }), lowercase });
}

/** A sentence's tokens as the network counts them, after the boundary; `end` with that at its end. */
export function encodeSentence(
  tokenizer: Tokenizer,
  sentence: string,
  what: string,
  { reverse = false, end = false } = {},
): Int32Array {
  const tokens = tokenizer.encode(sentence, what);
  if (reverse) tokens.reverse();
  const out = new Int32Array(tokens.length + Number(end)).fill(BOUNDARY);
  for (const [i, token] of tokens.entries()) out[i] = token + 1;
  return out;
}

export function decodeSentence(tokenizer: Tokenizer, tokens: readonly number[]): string {
  return tokenizer
    .decode(tokens.map((token) => token - 1))
    .replace(/\s+/g, " ")
    .trim();
}

/** The words of a sentence, one for each token of a tokenizer of words. */
export function wordsOf(tokenizer: Tokenizer, sentence: string): string[] {
  const { wordsOf: cut } = tokenizer as Partial<MosesTokenizer>;
  return cut ? cut.call(tokenizer, sentence) : splitWords(sentence, "punctuation");
}
