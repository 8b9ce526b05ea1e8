import { nodeModule } from "../../engine/features.ts";
import { FormatError } from "../../errors.ts";
import { fileError } from "../../io/files.ts";
import { nodeFiles } from "../../io/node-files.ts";
import type { TokenSequence } from "./tokens.ts";

/**
 * Tokens in a file, for texts larger than memory. The file is a safetensors file, so that other programs read it too:
 * `tokens` in the narrowest type that holds the vocabulary, and `checksums`, the CRC-32 of each 64 KiB of them. The
 * metadata has a `digest` of itself and of the checksums, so that nothing in the file can change unnoticed.
 */
const FORMAT = "unrolled tokens 1";
const BLOCK = 2 ** 16;
const LONGEST_HEADER = 2 ** 28;
/** Blocks checked when a file is opened; the others are when they are first read. */
const CHECKED_AT_ONCE = 16;

const kinds = {
  U8: { bytes: 1, array: Uint8Array },
  U16: { bytes: 2, array: Uint16Array },
  I32: { bytes: 4, array: Int32Array },
} as const;
type Kind = keyof typeof kinds;

/** The narrowest type that holds tokens 0 … size − 1. */
const kindFor = (size: number): Kind => (size <= 2 ** 8 ? "U8" : size <= 2 ** 16 ? "U16" : "I32");

interface Header {
  kind: Kind;
  count: number;
  /** The first so many are to learn from, the others are held out. */
  cut: number;
  /** What else there is to know of the tokens, as JSON. */
  about: string;
  digest: string;
}

const crc32 = (bytes: Uint8Array) => nodeModule<typeof import("node:zlib")>("node:zlib")!.crc32(bytes);

function digestOf({ kind, count, cut, about }: Omit<Header, "digest">, checksums: Uint8Array): string {
  const hash = nodeModule<typeof import("node:crypto")>("node:crypto")!.createHash("sha256");
  return hash
    .update(JSON.stringify([kind, count, cut, about]))
    .update(checksums)
    .digest("hex");
}

const blocksOf = ({ kind, count }: Pick<Header, "kind" | "count">) =>
  Math.ceil((count * kinds[kind].bytes) / BLOCK);

function formatHeader({ kind, count, cut, about, digest }: Header, length = 0): Uint8Array {
  const data = count * kinds[kind].bytes;
  const blocks = blocksOf({ kind, count });
  const json = JSON.stringify({
    __metadata__: { format: FORMAT, cut: String(cut), about, digest },
    tokens: { dtype: kind, shape: [count], data_offsets: [0, data] },
    checksums: { dtype: "U32", shape: [blocks], data_offsets: [data, data + 4 * blocks] },
  });
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(length || 8 * Math.ceil((8 + text.length) / 8)).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(text, 8);
  return bytes;
}

/** Writes a token file from beginning to end. */
export class TokenWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #kind: Kind;
  readonly #about: string;
  readonly #headerLength: number;
  readonly #buffer = new Uint8Array(16 * BLOCK);
  #filled = 0;
  #position: number;
  #checksums: number[] = [];
  /** Tokens written so far. */
  count = 0;

  constructor(path: string, vocabularySize: number, about: string) {
    this.#path = path;
    this.#kind = kindFor(vocabularySize);
    this.#about = about;
    // How many tokens there are turns out in the end: place is left for the largest numbers.
    this.#headerLength = formatHeader(this.#header(1e15, 1e15, "0".repeat(64))).length;
    this.#position = this.#headerLength;
    this.#file = attempt(path, "written", () => nodeFiles(path).sync.openSync(path, "wx"));
  }

  #header(count: number, cut: number, digest: string): Header {
    return { kind: this.#kind, count, cut, about: this.#about, digest };
  }

  write(tokens: Int32Array): void {
    const narrow = new kinds[this.#kind].array(tokens);
    const bytes = new Uint8Array(narrow.buffer);
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + this.#buffer.length - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === this.#buffer.length) this.#flush();
    }
    this.count += tokens.length;
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(0, this.#filled);
    for (let at = 0; at < bytes.length; at += BLOCK)
      this.#checksums.push(crc32(bytes.subarray(at, at + BLOCK)));
    this.#put(bytes, this.#position);
    this.#position += bytes.length;
    this.#filled = 0;
  }

  #put(bytes: Uint8Array, position: number): void {
    attempt(this.#path, "written", () => {
      for (let done = 0; done < bytes.length; ) {
        done += nodeFiles(this.#path).sync.writeSync(
          this.#file,
          bytes,
          done,
          bytes.length - done,
          position + done,
        );
      }
    });
  }

  /** Writes what is left and the header, which makes it a token file. */
  finish(cut: number): void {
    this.#flush();
    const checksums = new Uint8Array(Uint32Array.from(this.#checksums).buffer);
    this.#put(checksums, this.#position);
    const header = this.#header(this.count, cut, "");
    const digest = digestOf(header, checksums);
    this.#put(formatHeader({ ...header, digest }, this.#headerLength), 0);
  }

  close(): void {
    nodeFiles(this.#path).sync.closeSync(this.#file);
  }
}

/**
 * The tokens of a file, read where they are asked for: nothing but a window is in memory. Reading is synchronous, since a
 * training step is; the operating system keeps what is read often.
 */
export class TokenFile implements TokenSequence {
  readonly path: string;
  readonly length: number;
  /** The first so many are to learn from, the others are held out. */
  readonly cut: number;
  /** What else there is to know of the tokens, as JSON. */
  readonly about: string;
  /** Tells these tokens, and what there is to know of them, from others. */
  readonly digest: string;
  readonly #file: number;
  readonly #kind: Kind;
  readonly #start: number;
  readonly #checksums: Uint32Array;
  readonly #checked: Uint8Array;
  readonly #block = new Uint8Array(BLOCK);

  /** Refuses what is no token file, or not a whole one. */
  constructor(path: string) {
    this.path = path;
    this.#file = attempt(path, "read", () => nodeFiles(path).sync.openSync(path, "r"));
    try {
      const { header, start } = this.#readHeader();
      this.#kind = header.kind;
      this.#start = start;
      this.length = header.count;
      this.cut = header.cut;
      this.about = header.about;
      this.digest = header.digest;
      this.#checksums = this.#readChecksums(header);
      this.#checked = new Uint8Array(this.#checksums.length);
      const last = this.#checked.length - 1;
      for (let i = 0; i < CHECKED_AT_ONCE; i++) this.#check(Math.round((last * i) / (CHECKED_AT_ONCE - 1)));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #readHeader(): { header: Header; start: number } {
    const { size } = nodeFiles(this.path).sync.fstatSync(this.#file);
    const length = size < 8 ? 0 : Number(new DataView(this.#read(8, 0).buffer).getBigUint64(0, true));
    if (length === 0 || length > Math.min(size - 8, LONGEST_HEADER))
      throw this.#problem("is not a token file");
    try {
      const json = JSON.parse(new TextDecoder().decode(this.#read(length, 8)));
      const { format, cut, about, digest } = json.__metadata__;
      const kind = json.tokens.dtype as Kind;
      const [count] = json.tokens.shape;
      const header = { kind, count, cut: Number(cut), about, digest };
      const bytes = count * kinds[kind].bytes + 4 * blocksOf(header);
      if (format === FORMAT && count > 0 && size === 8 + length + bytes) return { header, start: 8 + length };
    } catch {}
    throw this.#problem("is not a token file, or not a whole one");
  }

  #readChecksums(header: Header): Uint32Array {
    const data = header.count * kinds[header.kind].bytes;
    const bytes = this.#read(4 * blocksOf(header), this.#start + data);
    if (digestOf(header, bytes) !== header.digest) throw this.#problem("is not what was written");
    return new Uint32Array(bytes.buffer);
  }

  slice(from: number, to: number): Int32Array {
    const { bytes, array } = kinds[this.#kind];
    for (let block = Math.floor((from * bytes) / BLOCK); block * BLOCK < to * bytes; block++)
      this.#check(block);
    const read = this.#read((to - from) * bytes, this.#start + from * bytes);
    return new Int32Array(new array(read.buffer));
  }

  /** The tokens [from, to) as a text of their own. */
  part(from: number, to: number): TokenSequence {
    return { length: to - from, slice: (a, b) => this.slice(from + a, from + b) };
  }

  /** Checks a block the first time it is needed. */
  #check(block: number): void {
    if (this.#checked[block]) return;
    const size = this.length * kinds[this.#kind].bytes;
    const bytes = this.#block.subarray(0, Math.min(BLOCK, size - block * BLOCK));
    this.#fill(bytes, this.#start + block * BLOCK);
    if (crc32(bytes) !== this.#checksums[block]) {
      // It is certainly ours, and of no use to anyone: out of the way of the next start.
      nodeFiles(this.path).sync.rmSync(this.path, { force: true });
      throw this.#problem("is not what was written");
    }
    this.#checked[block] = 1;
  }

  #read(length: number, position: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#fill(bytes, position);
    return bytes;
  }

  #fill(bytes: Uint8Array, position: number): void {
    attempt(this.path, "read", () => {
      for (let done = 0; done < bytes.length; ) {
        const count = nodeFiles(this.path).sync.readSync(
          this.#file,
          bytes,
          done,
          bytes.length - done,
          position + done,
        );
        if (count === 0) throw this.#problem("has been cut short");
        done += count;
      }
    });
  }

  #problem(what: string): FormatError {
    return new FormatError(`${this.path}: ${what}`, {
      hint: "start again: it is made anew from the text",
    });
  }

  close(): void {
    nodeFiles(this.path).sync.closeSync(this.#file);
  }
}

function attempt<T>(path: string, verb: "read" | "written", act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw cause instanceof FormatError ? cause : fileError(path, verb, cause);
  }
}
