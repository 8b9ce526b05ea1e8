import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { wrap } from "./format.ts";

const SHOWN = 100;

/** A vocabulary, or the beginning of it. */
export function vocabulary(tokenizer: Tokenizer): string {
  const some = Array.from({ length: Math.min(tokenizer.size, SHOWN) }, (_, token) => token);
  const shown =
    tokenizer.unit === "byte"
      ? "all bytes"
      : some
          .map((token) => tokenizer.decode([token]))
          .map((symbol) => (/^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(symbol) ? symbol : JSON.stringify(symbol)))
          .join(" ");
  return `vocabulary: ${tokenizer.size} ${tokenizer.unit === "bpe" ? "sub-word" : tokenizer.unit}s\n${wrap(shown, 78, "  ")}${
    tokenizer.size > SHOWN && tokenizer.unit !== "byte" ? " …" : ""
  }`;
}
