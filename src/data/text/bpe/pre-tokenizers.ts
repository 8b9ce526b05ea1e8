import * as v from "valibot";
import { FormatError } from "../../../errors.ts";
import { oneOf, text, trueOrFalse } from "../../../options.ts";
import { toByteCharacters } from "./byte-level.ts";
import { remember } from "./memory.ts";
import { makePart, type Part, part, sequenceOf } from "./parts.ts";
import { patternOf, patternSchema } from "./patterns.ts";

/** Cuts a part of a text into words, and writes them as the vocabulary does; `first` is whether the text begins with it. */
export type PreTokenize = (text: string, first: boolean) => string[];

export function makePreTokenizer(json: unknown, where: string): PreTokenize {
  return makePart(kinds, json, where);
}

/** What becomes of what a pattern finds, Hugging Face's words. */
const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;
type Behavior = (typeof behaviors)[number];

export const prependSchemes = ["always", "first", "never"] as const;

/** GPT-2's words: contractions, and letters, digits or other marks, each with a blank before them. */
const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const kinds: Readonly<Record<string, Part<PreTokenize>>> = {
  ByteLevel: part(
    {
      add_prefix_space: trueOrFalse(),
      trim_offsets: v.optional(trueOrFalse()),
      use_regex: v.optional(trueOrFalse(), true),
    },
    ({ add_prefix_space, use_regex }, where) => {
      const regex = patternOf({ Regex: gpt2 }, where);
      const inCharacters = remember(toByteCharacters);
      return (s) => {
        const spaced = add_prefix_space && !s.startsWith(" ") ? ` ${s}` : s;
        // The pattern finds everything, piece by piece.
        return (use_regex ? (spaced.match(regex) ?? []) : [spaced]).map(inCharacters);
      };
    },
  ),
  Whitespace: part({}, () => {
    const word = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
    const mark = "[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}\\p{White_Space}]";
    const regex = new RegExp(`${word}+|${mark}+`, "gu");
    return (s) => s.match(regex) ?? [];
  }),
  WhitespaceSplit: part({}, () => (s) => s.split(/\p{White_Space}+/u).filter((word) => word !== "")),
  CharDelimiterSplit: part(
    { delimiter: text() },
    ({ delimiter }) =>
      (s) =>
        s.split(delimiter).filter((word) => word !== ""),
  ),
  Digits: part({ individual_digits: trueOrFalse() }, ({ individual_digits }) => {
    return (s) => splitBy(s, /\p{N}/gu, individual_digits ? "Isolated" : "Contiguous");
  }),
  Punctuation: part({ behavior: v.optional(oneOf(behaviors), "Isolated") }, ({ behavior }) => {
    return (s) => splitBy(s, /[\p{P}$+<=>^`|~]/gu, behavior);
  }),
  Split: part(
    { pattern: patternSchema, behavior: oneOf(behaviors), invert: v.optional(trueOrFalse(), false) },
    ({ pattern, behavior, invert }, where) => {
      const regex = patternOf(pattern, where);
      return (s) => splitBy(s, regex, behavior, invert);
    },
  ),
  Metaspace: part(
    {
      replacement: text(),
      prepend_scheme: v.optional(oneOf(prependSchemes)),
      add_prefix_space: v.optional(trueOrFalse(), true),
      split: v.optional(trueOrFalse(), true),
      str_rep: v.optional(text()),
    },
    ({ replacement, add_prefix_space, split, ...options }, where) => {
      const scheme = options.prepend_scheme ?? (add_prefix_space ? "always" : "never");
      if ([...replacement].length !== 1) throw new FormatError(`${where}: replacement must be one character`);
      return (s, first) => {
        const marked = s.replaceAll(" ", () => replacement);
        const prepends =
          (scheme === "always" || (scheme === "first" && first)) && !marked.startsWith(replacement);
        const whole = prepends ? replacement + marked : marked;
        return split ? splitBy(whole, patternOf({ String: replacement }, where), "MergedWithNext") : [whole];
      };
    },
  ),
  Sequence: part({ pretokenizers: sequenceOf() }, ({ pretokenizers }, where) => {
    const all = pretokenizers.map((json, i) => makePreTokenizer(json, `${where}.pretokenizers.${i}`));
    return (s, first) =>
      all.reduce<string[]>(
        (words, preTokenize) => words.flatMap((word, i) => preTokenize(word, first && i === 0)),
        [s],
      );
  }),
};

/** Cuts a text where a pattern is found; with `invert`, what is not found is the delimiter. */
function splitBy(s: string, pattern: RegExp, behavior: Behavior, invert = false): string[] {
  const parts: { text: string; found: boolean }[] = [];
  const add = (from: number, to: number, found: boolean) => {
    if (to > from) parts.push({ text: s.slice(from, to), found: found !== invert });
  };
  let end = 0;
  for (const match of s.matchAll(pattern)) {
    add(end, match.index, false);
    add(match.index, match.index + match[0].length, true);
    end = match.index + match[0].length;
  }
  add(end, s.length, false);
  return combine(parts, behavior);
}

function combine(parts: readonly { text: string; found: boolean }[], behavior: Behavior): string[] {
  const words: string[] = [];
  let before: boolean | undefined;
  let waiting = "";
  for (const { text: piece, found } of parts) {
    if (behavior === "Removed") {
      if (!found) words.push(piece);
    } else if (behavior === "MergedWithNext") {
      // A delimiter waits for what comes next; another delimiter does not take it along.
      if (found) {
        if (waiting) words.push(waiting);
        waiting = piece;
      } else {
        words.push(waiting + piece);
        waiting = "";
      }
    } else if (
      words.length > 0 &&
      ((behavior === "MergedWithPrevious" && found && before === false) ||
        (behavior === "Contiguous" && found === before))
    ) {
      words[words.length - 1] += piece;
    } else words.push(piece);
    before = found;
  }
  if (waiting) words.push(waiting);
  return words;
}
