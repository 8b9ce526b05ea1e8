import * as v from "valibot";
import { FormatError } from "../../errors.ts";
import { checkContent, oneOf, recordOf, recordWith } from "../../options.ts";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { symbols, version } from "./tokenizer-schemas.ts";

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
};

const unitOf = recordWith({ unit: oneOf(["char", "byte", "word"]) });

/** Hugging Face's format, which has no unit and is another's. */
const isForeign = (json: unknown) =>
  typeof json === "object" && json !== null && "model" in json && !("unit" in json);

/**
 * The tokenizer that `toJSON` described, or Hugging Face's tokenizer.json of a model of byte-pair encoding; `file` names
 * its origin in an error. Sub-words and words are downloaded by pages whose models have them.
 */
export async function tokenizerFromJSON(json: unknown, file = "tokenizer.json"): Promise<Tokenizer> {
  if (isForeign(json)) {
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
    case "word":
      return (await import("./word-tokenizer-json.ts")).wordTokenizerFromJSON(json, file);
    default:
      throw new FormatError(`${file}: unit must be char, byte or word, got ${unit satisfies never}`);
  }
}
