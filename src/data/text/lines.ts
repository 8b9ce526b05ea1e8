import { DataError } from "../../errors.ts";
import { readBytes } from "../../io/unpack.ts";
import { decodeText } from "./text.ts";

/** One sentence a line, and what to call the file in an error. */
export interface Lines {
  name: string;
  lines: string[];
}

const MOST_BYTES = 2 ** 31;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The lines of UTF-8 bytes, blank ones too. Only a line feed ends one, so that the lines of files that belong together
 * have the same numbers; carriage returns before it are dropped.
 */
export function decodeLines(bytes: Uint8Array, name: string): string[] {
  let text: string | undefined;
  try {
    text = utf8.decode(bytes);
  } catch {}
  // What cannot be decoded, or is no text, is told of in detail.
  if (text === undefined || text.includes("\0")) return [decodeText(bytes, name)];
  const lines = text.split("\n").map((line) => line.replace(/\r+$/, ""));
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The lines of a file, which may be packed by gzip or zstd. */
export async function readLines(path: string): Promise<Lines> {
  return collectLines(readBytes(path), path);
}

export async function collectLines(pieces: AsyncIterable<Uint8Array>, name: string): Promise<Lines> {
  const copies: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    copies.push(piece.slice());
    length += piece.length;
    if (length > MOST_BYTES) throw new DataError(`${name}: is too large: more than 2 GiB of lines`);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const copy of copies) {
    bytes.set(copy, at);
    at += copy.length;
  }
  return { name, lines: decodeLines(bytes, name) };
}

/** Refuses files whose lines do not belong together, and says which has how many more. */
export function checkParallel(first: Lines, ...others: readonly Lines[]): void {
  for (const file of [first, ...others])
    if (file.lines.length === 0) throw new DataError(`${file.name}: is empty`);
  for (const { name, lines } of others) {
    const more = lines.length - first.lines.length;
    if (more === 0) continue;
    throw new DataError(
      `${name}: must have as many lines as ${first.name}, ${first.lines.length}, ` +
        `got ${lines.length}, ${Math.abs(more)} ${more > 0 ? "more" : "fewer"}`,
    );
  }
}
