import * as v from "valibot";
import { checkOptions, oneOf, recordOf, type SchemasOf, trueOrFalse } from "../../../options.ts";
import { type Abbreviations, abbreviationsOf } from "./abbreviations.ts";

export interface SentenceOptions {
  /** Cut words at hyphens, which become `@-@`. Default false. */
  aggressive?: boolean;
  /** Write `& | < > ' " [ ]` as entities, as Moses wants them. Default false. */
  escape?: boolean;
  /** What stays as it is, e.g. `[webAddresses]`. Default nothing. */
  protect?: readonly RegExp[];
  /** Of Chinese: a token a character, or the words that `Intl.Segmenter` finds. Default "characters". */
  chinese?: "characters" | "words";
}

const schema = recordOf({
  aggressive: v.optional(trueOrFalse(), false),
  escape: v.optional(trueOrFalse(), false),
  protect: v.optional(v.array(v.instance(RegExp, "must be a regular expression"), "must be an array"), []),
  chinese: v.optional(oneOf(["characters", "words"]), "characters"),
} satisfies SchemasOf<SentenceOptions>);

/** Addresses of pages and of mail. */
export const webAddresses =
  /\b(?:https?|ftp):\/\/[^\s/:]+[^\s"'<>()]*[^\s"'<>().,;:!?]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/;

/** Stands for one full stop of several in a row; for private use, so that no text has it. */
const DOT = "\ue000";
const PROTECTED = "\ue001";

/**
 * A sentence cut into words and marks that stand apart, by the rules of Moses' tokenizer.perl (Koehn et al. 2007) for
 * English, German and French; others are cut as German is, without abbreviations. `detokenize` is the way back.
 */
export function tokenizeSentence(
  sentence: string,
  language: string,
  options: SentenceOptions = {},
): string[] {
  const { aggressive, escape: escapes, protect, chinese } = checkOptions("tokenizeSentence", schema, options);
  if (language === "zh") return tokenizeChinese(sentence, chinese);
  const kept: string[] = [];
  let text = sentence.replace(/\p{White_Space}+/gu, " ").replace(/\p{Cc}/gu, (c) => (c < " " ? "" : c));
  for (const pattern of protect) {
    const everywhere = new RegExp(pattern.source, [...new Set(`${pattern.flags}g`)].join(""));
    text = text.replace(everywhere, (found) => ` ${PROTECTED.repeat(kept.push(found))} `);
  }
  text = text
    .trim()
    .replace(/[^\p{Alphabetic}\p{Nd}\p{White_Space}.'`,\ue001-]/gu, " $& ")
    .replace(aggressive ? /([\p{Alphabetic}\p{Nd}])-(?=[\p{Alphabetic}\p{Nd}])/gu : /(?!)/g, "$1 @-@ ")
    .replace(/\.{2,}/g, (dots) => ` ${DOT.repeat(dots.length)} `)
    // A comma stands apart unless it is between digits.
    .replace(/(\P{N}),/gu, "$1 , ")
    .replace(/,(\P{N})/gu, " , $1")
    .replace(/(\p{N}),$/u, "$1 ,");
  const words = apostrophes(text, language).split(/\p{White_Space}/u);
  while (words.at(-1) === "") words.pop();
  const cut = fullStops(words, abbreviationsOf[language]);
  const joined = cut.join(" ").replace(/ +/g, " ").replace(/^ | $/g, "").replace(/\.'$/, " . '");
  const tokens = joined.split(" ").filter((token) => token !== "");
  return tokens.map((token) => {
    const whole = token.replaceAll(DOT, ".").replace(/\ue001+/g, (marks) => kept[marks.length - 1] ?? marks);
    return escapes ? escaped(whole) : whole;
  });
}

/** Contractions: of English a part of what follows (do n't is not cut: don 't), of French of what comes before. */
function apostrophes(text: string, language: string): string {
  const apart = (s: string) => s.replace(/(\P{Alphabetic})'(\P{Alphabetic})/gu, "$1 ' $2");
  if (language === "en") {
    return apart(text)
      .replace(/([^\p{Alphabetic}\p{N}])'(\p{Alphabetic})/gu, "$1 ' $2")
      .replace(/(\p{Alphabetic})'(\P{Alphabetic})/gu, "$1 ' $2")
      .replace(/(\p{Alphabetic})'(\p{Alphabetic})/gu, "$1 '$2")
      .replace(/(\p{N})'(s)/gu, "$1 '$2");
  }
  if (language === "fr") {
    return apart(text)
      .replace(/(\P{Alphabetic})'(\p{Alphabetic})/gu, "$1 ' $2")
      .replace(/(\p{Alphabetic})'(\P{Alphabetic})/gu, "$1 ' $2")
      .replace(/(\p{Alphabetic})'(\p{Alphabetic})/gu, "$1' $2");
  }
  return text.replaceAll("'", " ' ");
}

/** Sets full stops apart, unless they belong to an abbreviation; that of the last word always. */
function fullStops(words: readonly string[], abbreviations: Abbreviations | undefined): string[] {
  return words.map((word, i) => {
    const before = /^(\S+)\.$/.exec(word)?.[1];
    if (before === undefined) return word;
    const next = words[i + 1];
    const belongs =
      next !== undefined &&
      ((before.includes(".") && /\p{Alphabetic}/u.test(before)) ||
        abbreviations?.always.has(before) ||
        /^\p{Lowercase}/u.test(next) ||
        (abbreviations?.beforeNumber.has(before) && /^[0-9]/.test(next)));
    return belongs ? word : `${before} .`;
  });
}

const entities: readonly (readonly [mark: string, entity: string])[] = [
  ["&", "&amp;"],
  ["|", "&#124;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ["'", "&apos;"],
  ['"', "&quot;"],
  ["[", "&#91;"],
  ["]", "&#93;"],
];

const escaped = (token: string) => entities.reduce((s, [mark, entity]) => s.replaceAll(mark, entity), token);

/** Undoes what `escape` did, the ampersand last. */
export const unescaped = (token: string) =>
  [...entities].reverse().reduce((s, [mark, entity]) => s.replaceAll(entity, mark), token);

let segmenter: Intl.Segmenter | undefined;

/** Ideographs one by one or by words, runs of other letters and digits together, marks apart. */
function tokenizeChinese(sentence: string, by: "characters" | "words"): string[] {
  if (by === "characters") {
    return (
      sentence.match(/\p{Script=Han}|[^\p{Script=Han}\p{P}\p{S}\p{White_Space}]+(?:[.,]\d+)*|\S/gu) ?? []
    );
  }
  segmenter ??= new Intl.Segmenter("zh", { granularity: "word" });
  return Array.from(segmenter.segment(sentence), ({ segment }) => segment.trim()).filter(
    (word) => word !== "",
  );
}
