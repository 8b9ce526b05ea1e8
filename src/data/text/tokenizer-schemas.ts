import * as v from "valibot";
import { formatVersion, text } from "../../options.ts";
import { TOKENIZER_VERSION } from "./tokenizer.ts";

/** What descriptions of tokenizers have alike. */
export const version = formatVersion(TOKENIZER_VERSION);

export const symbols = v.pipe(
  v.array(text(), "must be an array of strings"),
  v.minLength(1, "must not be empty"),
  v.check((list) => new Set(list).size === list.length, "must not hold an entry twice"),
);
