import type * as v from "valibot";
import { recordOf, text, trueOrFalse, wholeNumber } from "../../../options.ts";
import { escapePattern } from "./patterns.ts";

export const addedTokenSchema = recordOf({
  id: wholeNumber(0, 2 ** 24),
  content: text(),
  single_word: trueOrFalse(),
  lstrip: trueOrFalse(),
  rstrip: trueOrFalse(),
  normalized: trueOrFalse(),
  special: trueOrFalse(),
});

/** A token that is found in the text as it stands, before anything else. */
export type AddedToken = v.InferOutput<typeof addedTokenSchema>;

export type Piece = string | AddedToken;

const word = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const beginsWithWord = new RegExp(`^${word}`, "u");
const endsWithWord = new RegExp(`${word}$`, "u");

/** Cuts added tokens out of a text: the leftmost first, the longest of several. */
export function findAdded(
  tokens: readonly AddedToken[],
  spelling: (token: AddedToken) => string,
): ((text: string) => Piece[]) | undefined {
  const bySpelling = new Map<string, AddedToken>();
  for (const token of tokens) bySpelling.set(spelling(token), token);
  const spellings = [...bySpelling.keys()].filter(Boolean).sort((a, b) => b.length - a.length);
  if (spellings.length === 0) return undefined;
  const pattern = new RegExp(spellings.map(escapePattern).join("|"), "gu");
  return (text) => cut(text, pattern, bySpelling);
}

function cut(text: string, pattern: RegExp, tokens: ReadonlyMap<string, AddedToken>): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const token = tokens.get(match[0])!;
    let from = match.index;
    let to = from + match[0].length;
    if (token.single_word && (endsWithWord.test(text.slice(0, from)) || beginsWithWord.test(text.slice(to))))
      continue;
    // The blanks beside it are part of it.
    if (token.lstrip) while (from > end && isBlank(text[from - 1]!)) from--;
    if (token.rstrip) while (to < text.length && isBlank(text[to]!)) to++;
    if (from > end) pieces.push(text.slice(end, from));
    pieces.push(token);
    end = to;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

const isBlank = (character: string) => /\p{White_Space}/u.test(character);
