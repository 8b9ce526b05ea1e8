import * as v from "valibot";
import { checkContent, oneOf, recordOf, trueOrFalse, wholeNumber } from "../../options.ts";
import { symbols, version } from "./tokenizer-schemas.ts";
import { WordTokenizer } from "./word-tokenizer.ts";
import { EOS, UNK, wordSplits } from "./words.ts";

const schema = recordOf({
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
});

/** A tokenizer of words, see `tokenizerFromJSON`. */
export function wordTokenizerFromJSON(json: unknown, file: string): WordTokenizer {
  const { words, split, lowercase, rareWords } = checkContent(file, schema, json);
  return new WordTokenizer(words, { split, lowercase, rareWords });
}
