import { DataError } from "../../errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of a UTF-8 file whose bytes come in pieces of any size, as the tokenizers want it: line ends are "\n" and
 * there is no byte order mark. Refuses what is empty, binary or of another encoding, and says at which byte.
 */
export class Utf8Reader {
  readonly #what: string;
  /** Bytes of a character that is not whole yet. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Bytes decoded so far. */
  #offset = 0;
  #pastMark = false;
  /** A carriage return that waits for what follows it. */
  #carriageReturn = "";

  constructor(what = "text") {
    this.#what = what;
  }

  push(bytes: Uint8Array): string {
    const all = this.#rest.length > 0 ? joinBytes(this.#rest, bytes) : bytes;
    const whole = wholeCharacters(all);
    const text = this.#decode(all.subarray(0, whole));
    // A copy: the caller may use its buffer again.
    this.#rest = all.slice(whole);
    this.#offset += whole;
    return this.#lineEnds(text);
  }

  /** What is left when all bytes have come. */
  end(): string {
    if (this.#offset + this.#rest.length === 0) throw new DataError(`${this.#what}: is empty`);
    if (this.#rest.length > 0) throw this.#problem(this.#rest);
    return this.#carriageReturn && "\n";
  }

  #decode(bytes: Uint8Array): string {
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      throw this.#problem(bytes);
    }
    if (text.includes("\0")) throw this.#problem(bytes);
    if (this.#pastMark || text === "") return text;
    this.#pastMark = true;
    return text.startsWith("\uFEFF") ? text.slice(1) : text;
  }

  #lineEnds(text: string): string {
    const all = this.#carriageReturn + text;
    if (!all.includes("\r")) return all;
    this.#carriageReturn = all.endsWith("\r") ? "\r" : "";
    return (this.#carriageReturn ? all.slice(0, -1) : all).replace(/\r\n?/g, "\n");
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
