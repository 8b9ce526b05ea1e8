import { nodeModule } from "../../engine/features.ts";
import { DataError } from "../../errors.ts";
import { fileError } from "../../io/files.ts";
import { expandGlobs } from "../../io/globs.ts";
import { nodeFiles } from "../../io/node-files.ts";
import { rawBytes, readBytes } from "../../io/unpack.ts";
import { Utf8Reader } from "./utf8.ts";

/** A text that can be read as often as needed, without being in memory as a whole. */
export interface TextInPieces {
  /** What to call it in an error. */
  readonly name: string;
  /** What `onRead` adds up to when it is read once. */
  readonly bytes: number;
  /** Its pieces in order, each ending with a line. */
  pieces(onRead?: (bytes: number) => void): AsyncIterable<string>;
  /** A fingerprint that takes no reading of it all; another one if the text may have changed. */
  stamp(): Promise<string>;
  /** SHA-256 of its content. */
  hash(onRead?: (bytes: number) => void): Promise<string>;
}

/** A text that is at hand as a string. */
export class TextInMemory implements TextInPieces {
  readonly name: string;
  readonly text: string;
  readonly bytes: number;

  constructor(text: string, name: string) {
    this.text = text;
    this.name = name;
    this.bytes = text.length;
  }

  async *pieces(onRead: (bytes: number) => void = () => {}): AsyncGenerator<string> {
    onRead(this.bytes);
    yield this.text;
  }

  stamp(): Promise<string> {
    return this.hash();
  }

  async hash(): Promise<string> {
    return sha256().update(this.text).digest("hex");
  }
}

/** A text in files, one after another; a file that does not end its last line has it ended. */
export class TextInFiles implements TextInPieces {
  readonly name: string;
  readonly bytes: number;
  /** Whether it is there when it is read again: a pipe is not. */
  readonly lasting: boolean;
  readonly #files: readonly FileFacts[];

  private constructor(files: readonly FileFacts[], name: string) {
    this.#files = files;
    this.name = name;
    this.bytes = files.reduce((sum, { size }) => sum + size, 0);
    this.lasting = files.every(({ regular }) => regular);
  }

  /** Of files that paths and globs name. Empty ones are left out, unless there is no other. */
  static async open(patterns: readonly string[], name: string): Promise<TextInFiles> {
    const files: FileFacts[] = [];
    for (const path of await expandGlobs(patterns)) files.push(await factsOf(path));
    const filled = files.filter(({ size, regular }) => size > 0 || !regular);
    return new TextInFiles(filled.length > 0 ? filled : files, name);
  }

  async *pieces(onRead?: (bytes: number) => void): AsyncGenerator<string> {
    for (const [i, { path }] of this.#files.entries()) {
      const reader = new Utf8Reader(path);
      for await (const bytes of readBytes(path, onRead)) yield* some(reader.push(bytes));
      const rest = reader.end();
      const another = i + 1 < this.#files.length;
      yield* some(another && reader.open ? `${rest}\n` : rest);
    }
  }

  async stamp(): Promise<string> {
    const hash = sha256();
    for (const { path } of this.#files) {
      const { times } = await factsOf(path);
      hash.update(`${times}\n`);
      hash.update(await sample(path));
    }
    return hash.digest("hex");
  }

  async hash(onRead?: (bytes: number) => void): Promise<string> {
    const all = sha256();
    for (const { path } of this.#files) {
      const one = sha256();
      for await (const bytes of rawBytes(path, onRead)) one.update(bytes);
      all.update(one.digest());
    }
    return all.digest("hex");
  }
}

/** The text as a string if it has at most `limit` characters, else as it is. */
export async function inMemoryIfSmall(text: TextInFiles, limit: number): Promise<TextInPieces> {
  if (text.bytes > limit) return text;
  let whole = "";
  for await (const piece of text.pieces()) {
    whole += piece;
    if (whole.length <= limit) continue;
    if (text.lasting) return text;
    throw new DataError(`${text.name}: is too long to be held in memory, and cannot be read a second time`, {
      hint: "save it to a file first",
    });
  }
  return new TextInMemory(whole, text.name);
}

function* some(piece: string): Generator<string> {
  if (piece !== "") yield piece;
}

interface FileFacts {
  path: string;
  size: number;
  regular: boolean;
  /** Size, identity and times: another value whenever the file was written to, moved or replaced. */
  times: string;
}

async function factsOf(path: string): Promise<FileFacts> {
  const { fs } = nodeFiles(path);
  try {
    const stat = await fs.stat(path, { bigint: true });
    const times = [stat.size, stat.ino, stat.mtimeNs, stat.ctimeNs].join(" ");
    return { path, size: Number(stat.size), regular: stat.isFile(), times };
  } catch (cause) {
    throw fileError(path, "read", cause);
  }
}

const SAMPLES = 16;
const SAMPLE_BYTES = 4096;

/** Bytes from all over a file, for a system whose times are coarse or were set by hand. */
async function sample(path: string): Promise<Uint8Array> {
  const { fs } = nodeFiles(path);
  try {
    const handle = await fs.open(path);
    try {
      const last = Math.max(0, (await handle.stat()).size - SAMPLE_BYTES);
      const samples = new Uint8Array(SAMPLES * SAMPLE_BYTES);
      for (let i = 0; i < SAMPLES; i++) {
        const position = Math.floor((last * i) / (SAMPLES - 1));
        await handle.read(samples, i * SAMPLE_BYTES, SAMPLE_BYTES, position);
      }
      return samples;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fileError(path, "read", cause);
  }
}

function sha256() {
  return nodeModule<typeof import("node:crypto")>("node:crypto")!.createHash("sha256");
}
