import * as v from "valibot";
import { oneOf, text, trueOrFalse, wholeNumber } from "../../../options.ts";
import { toBytes } from "./byte-level.ts";
import { makePart, type Part, part, sequenceOf } from "./parts.ts";
import { patternOf, patternSchema } from "./patterns.ts";
import { prependSchemes } from "./pre-tokenizers.ts";

/** Turns tokens as the vocabulary writes them into pieces of text. */
export type Decode = (tokens: string[]) => string[];

export function makeDecoder(json: unknown, where: string): Decode {
  return makePart(kinds, json, where);
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

const kinds: Readonly<Record<string, Part<Decode>>> = {
  ByteLevel: part(
    {
      add_prefix_space: v.optional(trueOrFalse()),
      trim_offsets: v.optional(trueOrFalse()),
      use_regex: v.optional(trueOrFalse()),
    },
    () => (tokens) => [utf8.decode(join(tokens.map(toBytes)))],
  ),
  BPEDecoder: part({ suffix: text() }, ({ suffix }) => (tokens) => {
    const last = tokens.length - 1;
    return tokens.map((token, i) =>
      suffix === "" ? token : token.replaceAll(suffix, () => (i === last ? "" : " ")),
    );
  }),
  Metaspace: part(
    {
      replacement: text(),
      prepend_scheme: v.optional(oneOf(prependSchemes)),
      add_prefix_space: v.optional(trueOrFalse(), true),
      split: v.optional(trueOrFalse()),
      str_rep: v.optional(text()),
    },
    ({ replacement, add_prefix_space, prepend_scheme }) => {
      const prepended = (prepend_scheme ?? (add_prefix_space ? "always" : "never")) !== "never";
      return (tokens) =>
        tokens.map((token, i) => token.replaceAll(replacement, () => (i === 0 && prepended ? "" : " ")));
    },
  ),
  ByteFallback: part({}, () => joinBytes),
  Fuse: part({}, () => (tokens) => [tokens.join("")]),
  Strip: part(
    { content: text(), start: wholeNumber(0, 2 ** 31), stop: wholeNumber(0, 2 ** 31) },
    ({ content, start, stop }) =>
      (tokens) =>
        tokens.map((token) => strip(token, content, start, stop)),
  ),
  Replace: part({ pattern: patternSchema, content: text() }, ({ pattern, content }, where) => {
    const regex = patternOf(pattern, where);
    return (tokens) => tokens.map((token) => token.replace(regex, () => content));
  }),
  Sequence: part({ decoders: sequenceOf() }, ({ decoders }, where) => {
    const all = decoders.map((json, i) => makeDecoder(json, `${where}.decoders.${i}`));
    return (tokens) => all.reduce((pieces, decode) => decode(pieces), tokens);
  }),
};

/** Runs of tokens like `<0xE5>` as the text of their bytes; each is U+FFFD where that is no UTF-8. */
function joinBytes(tokens: string[]): string[] {
  const pieces: string[] = [];
  let run: number[] = [];
  const end = () => {
    if (run.length === 0) return;
    try {
      pieces.push(strict.decode(Uint8Array.from(run)));
    } catch {
      pieces.push(...run.map(() => "\ufffd"));
    }
    run = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9a-fA-F]{2})>$/.exec(token)?.[1];
    if (byte !== undefined) {
      run.push(Number.parseInt(byte, 16));
      continue;
    }
    end();
    pieces.push(token);
  }
  end();
  return pieces;
}

/** A token without at most so many of a character at its beginning and its end. */
function strip(token: string, content: string, start: number, stop: number): string {
  const characters = [...token];
  let from = 0;
  while (from < Math.min(start, characters.length) && characters[from] === content) from++;
  let to = characters.length;
  while (to > from && characters.length - to < stop && characters[to - 1] === content) to--;
  return characters.slice(from, to).join("");
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of parts) {
    joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}
