import { decodeText } from "../data/text/text.ts";
import { DataError } from "../errors.ts";
import { readFile } from "../io/files.ts";

const MAX_BYTES = 2 ** 31;
const LINE_FEED = 10;

export interface Line {
  text: string;
  /** Its number in the file, from 1. */
  number: number;
  /** Where it stands, for errors. */
  where: string;
}

/** What f makes of a line's text; where its error says `text`, this says where the line stands. */
export async function ofLine<T>(
  { text, where }: Pick<Line, "text" | "where">,
  f: (text: string) => T,
): Promise<Awaited<T>> {
  try {
    return await f(text);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(error.message.replace(/^text: /, `${where}: `), { cause: error });
  }
}

/** The lines of a file, or of standard input as they arrive; empty ones are left out. */
export async function* linesOf(file: string | undefined): AsyncGenerator<Line> {
  const chunks = file === undefined ? process.stdin : [await readFile(file, MAX_BYTES)];
  let number = 0;
  for await (const bytes of splitLines(chunks)) {
    const where = `${file ?? "standard input"}: line ${++number}`;
    if (bytes.some((byte) => byte > 0x20)) {
      yield { number, where, text: decodeText(bytes, where).trimEnd() };
    }
  }
}

async function* splitLines(chunks: AsyncIterable<Uint8Array> | Uint8Array[]): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([rest, chunk.subarray(from, end)]);
      rest = new Uint8Array(0);
      from = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
  }
  if (rest.length > 0) yield rest;
}
