import { ByteTokenizer } from "../../data/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../data/text/char-tokenizer.ts";
import { LanguageModelBatches } from "../../data/text/stream-batches.ts";
import { decodeText, normalizeText, splitText } from "../../data/text/text.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { DataError } from "../../errors.ts";
import { readFile } from "../../io/files.ts";
import { gunzip } from "../../io/gzip.ts";
import type { ResolvedOptions, TextSource } from "./options.ts";

/** The longest string there can be, about. */
const MAX_TEXT = 2 ** 29 - 2 ** 10;

/** What to call a text in an error. */
export function nameOf(source: TextSource): string {
  return typeof source === "string" ? source : "text";
}

export async function readText(source: TextSource): Promise<string> {
  const name = nameOf(source);
  if (typeof source === "string") {
    return decodeText(await gunzip(await readFile(source, MAX_TEXT), MAX_TEXT, name), name);
  }
  if (source.text === "") throw new DataError(`${name}: is empty`);
  return normalizeText(source.text, name);
}

export interface Corpus {
  tokenizer: Tokenizer;
  train: LanguageModelBatches;
  /** Held out; absent if nothing is. */
  valid: Int32Array | undefined;
}

/**
 * Training and validation text as tokens. A vocabulary of characters is that of both texts, so that one rare sign at the
 * end of a book is no obstacle; one of words is the training text's alone, and the rest is `<unk>`. With `known`, neither.
 */
export async function readCorpus(
  source: TextSource,
  options: ResolvedOptions,
  known?: Tokenizer,
): Promise<Corpus> {
  const { unit, batchSize, seqLength, validFraction } = options;
  const name = nameOf(source);
  let train = await readText(source);
  let valid: string | undefined;
  if (options.valid !== undefined) valid = await readText(options.valid);
  else if (validFraction > 0) {
    [train, valid] = splitText(train, validFraction, unit === "word" ? "line" : "character");
  }
  const tokenizer = known ?? makeTokenizer(train, valid, options);
  const batches = new LanguageModelBatches(tokenizer.encode(train, name), { batchSize, seqLength }, name);
  if (valid === undefined) return { tokenizer, train: batches, valid };
  const held = tokenizer.encode(valid, "validation text");
  if (held.length < 2) {
    throw new DataError(`${name}: the text to validate on must have 2 tokens or more, got ${held.length}`, {
      hint: "give one with `valid`, or hold out nothing with a validFraction of 0",
    });
  }
  return { tokenizer, train: batches, valid: held };
}

function makeTokenizer(train: string, valid: string | undefined, options: ResolvedOptions): Tokenizer {
  const { unit, split, lowercase, minCount, maxVocabulary } = options;
  switch (unit) {
    case "char":
      return CharTokenizer.of(train, valid ?? "");
    case "byte":
      return new ByteTokenizer();
    case "word":
      return WordTokenizer.of(train, {
        ...(split && { split }),
        ...(lowercase && { lowercase }),
        ...(minCount && { minCount }),
        ...(maxVocabulary && { maxVocabulary }),
      });
  }
}
