import * as v from "valibot";
import { FormatError } from "../../errors.ts";
import {
  checkContent,
  formatVersion,
  oneOf,
  recordOf,
  recordWith,
  text,
  trueOrFalse,
  wholeNumber,
} from "../../options.ts";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import { TOKENIZER_VERSION, type Tokenizer } from "./tokenizer.ts";
import { WordTokenizer } from "./word-tokenizer.ts";
import { EOS, UNK, wordSplits } from "./words.ts";

const version = formatVersion(TOKENIZER_VERSION);

const symbols = v.pipe(
  v.array(text(), "must be an array of strings"),
  v.minLength(1, "must not be empty"),
  v.check((list) => new Set(list).size === list.length, "must not hold an entry twice"),
);

/**
 * What tokenizer.json holds.
 *
 *     { "formatVersion": 1, "unit": "byte" }
 *     { "formatVersion": 1, "unit": "char", "symbols": ["\n", " ", "!", …] }
 *     { "formatVersion": 1, "unit": "word", "split": "whitespace", "lowercase": false, "words": ["<unk>", "<eos>", …] }
 *
 * A token is the place of its symbol in the list. Sub-words are in Hugging Face's format instead.
 */
const schemas = {
  byte: recordOf({ formatVersion: version, unit: v.literal("byte") }),
  char: recordOf({
    formatVersion: version,
    unit: v.literal("char"),
    symbols: v.pipe(
      symbols,
      v.check(
        (list) => list.every((s) => s.isWellFormed() && [...s].length === 1),
        "must hold one character each",
      ),
    ),
  }),
  word: recordOf({
    formatVersion: version,
    unit: v.literal("word"),
    split: oneOf(wordSplits),
    lowercase: trueOrFalse(),
    rareWords: v.optional(wholeNumber(1, 2 ** 31 - 1)),
    words: v.pipe(
      symbols,
      v.check((list) => list[0] === UNK && list[1] === EOS, `must begin with ${UNK} and ${EOS}`),
      v.check(
        (list) => list.every((s) => s.isWellFormed() && s !== "" && !s.includes("\n")),
        "must hold words",
      ),
    ),
  }),
};

const unitOf = recordWith({ unit: oneOf(["char", "byte", "word"]) });

/** Hugging Face's format, which has no unit and is another's. */
const isForeign = (json: unknown) =>
  typeof json === "object" && json !== null && "model" in json && !("unit" in json);

/**
 * The tokenizer that `toJSON` described, or Hugging Face's tokenizer.json of a model of byte-pair encoding; `file` names
 * its origin in an error.
 */
export async function tokenizerFromJSON(json: unknown, file = "tokenizer.json"): Promise<Tokenizer> {
  if (isForeign(json)) {
    // Few models have sub-words: the others' pages do not download them.
    const { BpeTokenizer } = await import("./bpe/bpe-tokenizer.ts");
    return new BpeTokenizer(json, file);
  }
  const { unit } = checkContent(file, unitOf, json);
  switch (unit) {
    case "byte":
      checkContent(file, schemas.byte, json);
      return new ByteTokenizer();
    case "char":
      return new CharTokenizer(checkContent(file, schemas.char, json).symbols);
    case "word": {
      const { words, split, lowercase, rareWords } = checkContent(file, schemas.word, json);
      return new WordTokenizer(words, { split, lowercase, rareWords });
    }
    default:
      throw new FormatError(`${file}: unit must be char, byte or word, got ${unit satisfies never}`);
  }
}
