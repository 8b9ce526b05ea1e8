import { DataError } from "../../errors.ts";

/**
 * Text as the tokenizers want it: line ends are "\n" (CRLF and lone CR become that) and there is no byte order mark. A
 * model then never learns which editor a file came from, and a prompt typed anywhere means the same.
 */
export function normalizeText(text: string, what = "text"): string {
  if (!text.isWellFormed()) {
    throw new DataError(`${what}: is not well-formed Unicode: half of a surrogate pair stands alone`);
  }
  return text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

/** The text of a UTF-8 file. Refuses what is empty, binary or of another encoding. */
export function decodeText(bytes: Uint8Array, what = "text"): string {
  if (bytes.length === 0) throw new DataError(`${what}: is empty`);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new DataError(`${what}: must be UTF-8, got UTF-16`, { hint: "save it as UTF-8" });
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) throw new DataError(`${what}: looks binary, not text: a zero byte at offset ${zero}`);
  const bad = firstInvalidByte(bytes);
  if (bad >= 0) {
    const value = bytes[bad]!.toString(16).toUpperCase().padStart(2, "0");
    throw new DataError(`${what}: is not valid UTF-8: byte 0x${value} at offset ${bad}`, {
      hint: "save it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8",
    });
  }
  return normalizeText(new TextDecoder().decode(bytes), what);
}

/** Where the first ill-formed sequence starts (Unicode, table 3-7), or −1. */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return -1;
}

function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what lies past U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] ?? 0;
    if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return 0;
  }
  return length;
}

/**
 * Cuts a text in two, the second part being its last `fraction`: after a whole code point, or, where the unit is the
 * word, after a whole line.
 */
export function splitText(text: string, fraction: number, at: "character" | "line"): [string, string] {
  if (at === "line") {
    const cut = text.lastIndexOf("\n", Math.floor(text.length * (1 - fraction))) + 1;
    return [text.slice(0, cut), text.slice(cut)];
  }
  const characters = countCodePoints(text);
  // 1 − 0.1 is a hair below 0.9: rounded, so that nine tenths of a round number are what one expects.
  let left = Math.floor(characters * Number((1 - fraction).toFixed(12)));
  let cut = 0;
  for (; left > 0; left--) cut += text.codePointAt(cut)! > 0xffff ? 2 : 1;
  return [text.slice(0, cut), text.slice(cut)];
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
