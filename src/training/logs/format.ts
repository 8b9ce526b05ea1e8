import type { LogEvent, StartEvent } from "./event.ts";

/** A way to write events into a file: what a log directory holds one or several of. */
export interface LogFormat {
  /** The file of a training that begins, or is resumed, for the n-th time, from 1. */
  fileName(session: number): string;
  /** Whether a file of a log's folder is of this format. */
  owns(fileName: string): boolean;
  /** What a new file begins with. */
  head(start: StartEvent, session: number, time: Date): Uint8Array;
  /** What an event comes to; no bytes if it has no place in this format. */
  encode(event: LogEvent, time: Date): Uint8Array;
  /** How many bytes of a file are whole entries of updates up to this one. */
  lengthUpTo(step: number, bytes: Uint8Array): number;
}

const LINE_FEED = 10;

/** The lines of a file with the offset of the next; what a crash left without its line break is no line. */
export function* linesOf(bytes: Uint8Array): IterableIterator<{ line: string; end: number }> {
  const decoder = new TextDecoder();
  let from = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
    yield { line: decoder.decode(bytes.subarray(from, end)), end: end + 1 };
    from = end + 1;
  }
}
