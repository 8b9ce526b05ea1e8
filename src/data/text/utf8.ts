import { DataError } from "../../errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BLANK = 32;

/** A line longer than this is cut at a blank, or anywhere if it has none: a text may have no line breaks at all. */
const LONGEST = 2 ** 22;

/**
 * The text of a UTF-8 file whose bytes come in pieces of any size, as the tokenizers want it: line ends are "\n" and
 * there is no byte order mark. It goes out in pieces that end where lines do, so that no character, no word and no rule
 * that looks at the letters around one is cut. Refuses what is empty, binary or of another encoding, and says where.
 */
export class Utf8Reader {
  readonly #what: string;
  readonly #longest: number;
  /** Bytes of a line that is not whole yet. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Bytes decoded so far. */
  #offset = 0;
  /** Whether the text so far ends inside a line. */
  open = false;

  constructor(what = "text", longest = LONGEST) {
    this.#what = what;
    this.#longest = longest;
  }

  /** The lines that are whole now; perhaps none. */
  push(bytes: Uint8Array): string {
    const all = this.#rest.length > 0 ? joinBytes(this.#rest, bytes) : bytes;
    let cut = all.lastIndexOf(LINE_FEED) + 1;
    if (cut === 0 && all.length > this.#longest) cut = cutInLine(all);
    const text = this.#decode(all.subarray(0, cut));
    // A copy: the caller may use its buffer again.
    this.#rest = all.slice(cut);
    return text;
  }

  /** The line that is left when all bytes have come. */
  end(): string {
    if (this.#offset + this.#rest.length === 0) throw new DataError(`${this.#what}: is empty`);
    const text = this.#decode(this.#rest);
    this.#rest = new Uint8Array(0);
    return text;
  }

  #decode(bytes: Uint8Array): string {
    if (bytes.length === 0) return "";
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      throw this.#problem(bytes);
    }
    if (text.includes("\0")) throw this.#problem(bytes);
    if (this.#offset === 0 && text.startsWith("\uFEFF")) text = text.slice(1);
    if (text.includes("\r")) text = text.replace(/\r\n?/g, "\n");
    this.#offset += bytes.length;
    this.open = !text.endsWith("\n");
    return text;
  }

  /** What is wrong with bytes that do not decode. */
  #problem(bytes: Uint8Array): DataError {
    const start = this.#offset;
    if (
      start === 0 &&
      ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    ) {
      return new DataError(`${this.#what}: must be UTF-8, got UTF-16`, { hint: "save it as UTF-8" });
    }
    const zero = bytes.indexOf(0);
    if (zero >= 0) {
      return new DataError(`${this.#what}: looks binary, not text: a zero byte at offset ${start + zero}`);
    }
    const bad = firstInvalidByte(bytes);
    const value = bytes[bad]!.toString(16).toUpperCase().padStart(2, "0");
    return new DataError(`${this.#what}: is not valid UTF-8: byte 0x${value} at offset ${start + bad}`, {
      hint: "save it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8",
    });
  }
}

function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Where to cut bytes that have no line feed: after a carriage return or a blank, or else after a character. */
function cutInLine(bytes: Uint8Array): number {
  // A carriage return at the very end may be half of a line break.
  const last = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
  return (
    bytes.lastIndexOf(CARRIAGE_RETURN, last - 1) + 1 ||
    bytes.lastIndexOf(BLANK) + 1 ||
    wholeCharacters(bytes.subarray(0, last))
  );
}

/** How many bytes there are up to a last character that is not whole. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
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
