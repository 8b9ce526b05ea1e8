import type { Batches } from "../../data/batches.ts";
import { ByteTokenizer } from "../../data/text/byte-tokenizer.ts";
import { SeenCharacters } from "../../data/text/char-tokenizer.ts";
import { type EncodedText, type Encoding, encodeInFile, encodeInMemory } from "../../data/text/encode.ts";
import { fingerprint } from "../../data/text/fingerprint.ts";
import { SentenceBatches } from "../../data/text/sentence-batches.ts";
import { ShuffledBatches } from "../../data/text/shuffled-batches.ts";
import { type LanguageModelBatch, LanguageModelBatches } from "../../data/text/stream-batches.ts";
import {
  inMemoryIfSmall,
  TextInFiles,
  TextInMemory,
  type TextInPieces,
} from "../../data/text/text-source.ts";
import { defaultCacheFolder } from "../../data/text/token-cache.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import type { TokenSequence } from "../../data/text/tokens.ts";
import { WordCounts } from "../../data/text/word-tokenizer.ts";
import { DataError } from "../../errors.ts";
import { hasFiles } from "../../io/node-files.ts";
import type { LanguageModelEvent } from "./events.ts";
import type { ResolvedOptions, TextSource } from "./options.ts";
import { nameOf, pathsOf, readText } from "./sources.ts";

/** Characters of a text that is held in memory; a longer one is made into a file of tokens, piece by piece. */
const IN_MEMORY = 2 ** 25;

async function openText(source: TextSource, inMemory: number): Promise<TextInPieces> {
  const name = nameOf(source);
  const paths = pathsOf(source);
  if (!paths || !hasFiles()) return new TextInMemory(await readText(source), name);
  return inMemoryIfSmall(await TextInFiles.open(paths, name), inMemory);
}

export interface Corpus {
  /** What to call its text. */
  name: string;
  tokenizer: Tokenizer;
  train: Batches<LanguageModelBatch>;
  /** Held out; absent if nothing is. */
  valid: TokenSequence | undefined;
  /** How often each token occurs in the text to learn from. */
  counts(): Float64Array;
  /** Tells these tokens, and what they stand for, from others. */
  fingerprint(): string;
  /** Closes the file that tokens are read from, if there is one. */
  close(): void;
}

/**
 * Training and validation text as tokens. A vocabulary of characters is that of both texts, so that one rare sign at the
 * end of a book is no obstacle; one of words is the training text's alone, and the rest is `<unk>`. With `known`, neither.
 */
export async function readCorpus(
  source: TextSource,
  options: ResolvedOptions,
  known?: Tokenizer,
  inMemory = IN_MEMORY,
): Promise<Corpus> {
  const text = await openText(source, inMemory);
  const held = options.valid === undefined ? options.validFraction : await openText(options.valid, inMemory);
  const vocabulary = known ?? (await vocabularyFor(options));
  const encoded = await encode({ text, held, at: cutFor(options.unit), vocabulary }, options);
  try {
    return makeCorpus(encoded, held !== 0, text.name, options);
  } catch (error) {
    encoded.close();
    throw error;
  }
}

const cutFor = (unit: Tokenizer["unit"]) => (unit === "word" || unit === "bpe" ? "line" : "character");

function makeCorpus(
  { tokenizer, train, valid, ...ofTokens }: Encoded,
  holdsOut: boolean,
  name: string,
  { windows, independent, batchSize, seqLength, bptt = 0, seed, validTokens }: ResolvedOptions,
): Corpus {
  const Layout = windows === "shuffled" ? ShuffledBatches : LanguageModelBatches;
  const batches = independent
    ? new SentenceBatches(train, { batchSize, lineBreak: lineBreakOf({ tokenizer, name }) }, name)
    : new Layout(train, { batchSize, seqLength, bptt, seed }, name);
  const counts = () => countTokens(train, tokenizer.size);
  if (!holdsOut) return { name, tokenizer, train: batches, valid: undefined, counts, ...ofTokens };
  if (valid.length < 2) {
    throw new DataError(`${name}: the text to validate on must have 2 tokens or more, got ${valid.length}`, {
      hint: "give one with `valid`, or hold out nothing with a validFraction of 0",
    });
  }
  const length = Math.min(valid.length, validTokens);
  const first = { length, slice: (a: number, b: number) => valid.slice(a, b) };
  return { name, tokenizer, train: batches, valid: first, counts, ...ofTokens };
}

/** The token that ends a line. */
export function lineBreakOf({ tokenizer, name }: Pick<Corpus, "tokenizer" | "name">): number {
  const { lineBreak } = tokenizer;
  if (lineBreak === undefined)
    throw new DataError(`${name}: has no line break, but independent is for lines`);
  return lineBreak;
}

const COUNTED_AT_A_TIME = 2 ** 20;

function countTokens(tokens: TokenSequence, vocabularySize: number): Float64Array {
  const counts = new Float64Array(vocabularySize);
  for (let from = 0; from < tokens.length; from += COUNTED_AT_A_TIME) {
    for (const token of tokens.slice(from, Math.min(from + COUNTED_AT_A_TIME, tokens.length)))
      counts[token]!++;
  }
  return counts;
}

type Encoded = EncodedText & Pick<Corpus, "fingerprint" | "close">;

/** How reading a text is told of and ended, and where its tokens go. */
type Reading = Partial<Pick<ResolvedOptions, "cache" | "signal" | "onProgress">>;

/** A whole text in the tokens of a vocabulary that is there, or that is to be made of it. */
export async function readTokens(
  source: TextSource,
  vocabulary: Tokenizer | VocabularyChoice,
  reading: Reading = {},
  inMemory = IN_MEMORY,
): Promise<{ tokens: TokenSequence } & Pick<Corpus, "tokenizer" | "close">> {
  const text = await openText(source, inMemory);
  const known = "encode" in vocabulary ? vocabulary : await vocabularyFor(vocabulary);
  const encoding: Encoding = { text, held: 0, at: cutFor(vocabulary.unit), vocabulary: known };
  const { tokenizer, train, close } = await encode(encoding, reading);
  return { tokenizer, tokens: train, close };
}

async function encode(encoding: Encoding, { cache, signal, onProgress }: Reading): Promise<Encoded> {
  const { text, held } = encoding;
  const inMemory = [text, held].every((part) => typeof part === "number" || part instanceof TextInMemory);
  if (inMemory) {
    const encoded = await encodeInMemory(encoding);
    const { tokenizer, train, valid } = encoded;
    return { ...encoded, fingerprint: () => fingerprint(tokenizer, [train, valid]), close() {} };
  }
  const started = performance.now();
  const tell = (event: LanguageModelEvent) => onProgress?.(event);
  const encoded = await encodeInFile(encoding, cache ?? defaultCacheFolder(), {
    signal,
    onProgress: (stage, progress) => tell({ type: "reading", stage, progress }),
  });
  tell({
    type: "corpus",
    tokens: encoded.train.length,
    heldOut: encoded.valid.length,
    vocabularySize: encoded.tokenizer.size,
    ...(cache !== false && { path: encoded.path }),
    found: encoded.found,
    seconds: (performance.now() - started) / 1000,
  });
  return { ...encoded, fingerprint: () => encoded.digest };
}

/** What a vocabulary is made by. */
export type VocabularyChoice = Pick<
  ResolvedOptions,
  "unit" | "split" | "lowercase" | "minCount" | "maxVocabulary" | "shareRare" | "vocabularySize"
>;

async function vocabularyFor(options: VocabularyChoice): Promise<Encoding["vocabulary"]> {
  const { unit, split, lowercase, minCount, maxVocabulary, shareRare, vocabularySize } = options;
  switch (unit) {
    case "byte":
      return new ByteTokenizer();
    case "char":
      return { settings: { unit }, builder: () => new SeenCharacters() };
    case "bpe": {
      const { BpeTrainer } = await import("../../data/text/bpe/train.ts");
      const settings = { ...(lowercase && { lowercase }), ...(vocabularySize && { vocabularySize }) };
      return { settings: { unit, ...settings }, builder: () => new BpeTrainer(settings) };
    }
    case "word": {
      const settings = {
        ...(split && { split }),
        ...(lowercase && { lowercase }),
        ...(minCount && { minCount }),
        ...(maxVocabulary && { maxVocabulary }),
        ...(shareRare && { shareRare }),
      };
      return { settings: { unit, ...settings }, builder: () => new WordCounts(settings) };
    }
  }
}
