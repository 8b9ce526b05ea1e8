import { CharTokenizer } from "../../data/text/char-tokenizer.ts";
import { TextInFiles } from "../../data/text/text-source.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { tokenizerFromJSON } from "../../data/text/tokenizer-json.ts";
import { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { EOS, UNK } from "../../data/text/words.ts";
import { FormatError } from "../../errors.ts";
import { type ModelSource, modelFile, readModel } from "../../io/model-folder.ts";
import { readArpa } from "../../ngram/arpa-read.ts";
import { readSymbol, SENTENCE_END } from "../../ngram/spelling.ts";
import type { NgramTable } from "../../ngram/table.ts";
import { tableOf } from "../../ngram/tensors.ts";
import { isArpa } from "../task-of.ts";
import { makeNgramConfig, type NgramConfig, readNgramConfig } from "./config.ts";

/** What an n-gram model is made of; an `NgramModel` is one. */
export interface NgramParts {
  readonly table: NgramTable;
  readonly tokenizer: Tokenizer;
  readonly config: NgramConfig;
}

/** How to take a file in the ARPA format, which does not say. */
export interface ArpaOptions {
  /** Default "word". */
  unit?: "word" | "char";
  /** Whether each line begins anew with `<s>`. Default true. */
  independent?: boolean;
}

/** Reads a model's files, trusting nothing in them. */
export async function loadNgramModel(source: ModelSource, options: ArpaOptions = {}): Promise<NgramParts> {
  if (isArpa(source)) return loadArpa(source, options);
  const { config: configJson, tokenizer: tokenizerJson, weights } = await readModel(source);
  const config = readNgramConfig(configJson, modelFile(source, "config"));
  const tokenizer = await tokenizerFromJSON(tokenizerJson, modelFile(source, "tokenizer"));
  const { sizes } = config.ngram;
  if (sizes[0] !== tokenizer.size + 1) {
    throw new FormatError(
      `${modelFile(source, "tokenizer")}: has ${tokenizer.size} tokens, but config.json is of ${sizes[0]! - 1}`,
    );
  }
  const shape = { vocabularySize: tokenizer.size, sizes };
  return { table: tableOf(weights, shape, modelFile(source, "weights")), tokenizer, config };
}

async function loadArpa(
  path: string,
  { unit = "word", independent = true }: ArpaOptions,
): Promise<NgramParts> {
  const pieces = (await TextInFiles.open([path], path)).pieces();
  const { words, table } = await readArpa(pieces, path, unit === "word" ? [UNK, SENTENCE_END] : []);
  const config = makeNgramConfig({ sizes: [...table.sizes], independent });
  if (unit === "word") {
    const twice = words.indexOf(EOS);
    if (twice >= 0)
      throw new FormatError(`${path}: ${EOS} cannot be a word: it is what ${SENTENCE_END} is here`);
    return { table, config, tokenizer: new WordTokenizer([UNK, EOS, ...words.slice(2)]) };
  }
  const symbols = words.map((word) => (word === SENTENCE_END ? "\n" : readSymbol(word)));
  const bad = symbols.findIndex((symbol) => [...symbol].length !== 1);
  if (bad >= 0) throw new FormatError(`${path}: ${JSON.stringify(words[bad])} must be one character`);
  return { table, config, tokenizer: new CharTokenizer(symbols) };
}
