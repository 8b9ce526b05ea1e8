import * as v from "valibot";
import { FormatError } from "../../../errors.ts";
import { recordOf, text } from "../../../options.ts";

/**
 * The regular expressions that a tokenizer.json may have. They are other people's, and one can be written that runs for
 * years on a short text, so only known ones are run: those of the models in use, and what people write to cut at blanks,
 * digits or lines.
 */
const known: readonly string[] = [
  // GPT-2
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  // GPT-4, Llama 3
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
  // Qwen 2
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  // CLIP
  "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  "\\s",
  "\\s+",
  "\\d",
  "\\d+",
  "\\p{N}",
  "\\p{N}+",
  "\\p{N}{1,3}",
  "[0-9]",
  "[0-9]+",
  "[\\r\\n]",
  "[\\r\\n]+",
  "\\n",
  "\\r",
  " ",
  " +",
  " {2,}",
  "\\w+|[^\\w\\s]+",
];

/** Of Oniguruma, which is who these are written for, as JavaScript has it. */
function translate(source: string): RegExp {
  const translated = source
    .replaceAll("(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])")
    .replaceAll("[^\\w\\s]", "[^\\p{L}\\p{M}\\p{N}\\p{Pc}\\p{White_Space}]")
    .replaceAll("\\w", "[\\p{L}\\p{M}\\p{N}\\p{Pc}]")
    .replaceAll("\\d", "\\p{Nd}")
    .replaceAll("\\s", "\\p{White_Space}")
    .replaceAll("\\S", "\\P{White_Space}");
  return new RegExp(translated, "gu");
}

/** The pattern of a splitter or replacer: the text itself, or a regular expression. */
export const patternSchema = v.union(
  [recordOf({ String: text() }), recordOf({ Regex: text() })],
  "must be an object with String or Regex",
);

export function patternOf(pattern: v.InferOutput<typeof patternSchema>, where: string): RegExp {
  if ("String" in pattern) return new RegExp(escapePattern(pattern.String), "gu");
  if (known.includes(pattern.Regex)) return translate(pattern.Regex);
  throw new FormatError(
    `${where}: the regular expression ${JSON.stringify(pattern.Regex)} is not supported`,
    {
      hint: "only those of models in wide use are run: another could be made to take for ever",
    },
  );
}

/** A text as a regular expression that matches it. */
export function escapePattern(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, (mark) => `\\${mark}`);
}
