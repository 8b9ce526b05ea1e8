import { type LogFormat, linesOf } from "./format.ts";

const encoder = new TextEncoder();

export const jsonlFile = "events.jsonl";

/** Everything, one event a line: what `unrolled runs` reads. */
export const jsonl: LogFormat = {
  fileName: () => jsonlFile,
  owns: (name) => name === jsonlFile,
  head: () => new Uint8Array(0),
  encode({ type, ...rest }, time) {
    return encoder.encode(`${JSON.stringify({ type, time: time.toISOString(), ...rest })}\n`);
  },
  lengthUpTo(step, bytes) {
    let length = 0;
    for (const { line, end } of linesOf(bytes)) {
      const event = parseEvent(line);
      if (!event || event.step > step) break;
      length = end;
    }
    return length;
  },
};

/** An event as it stands in a log: nothing but its type and update can be relied on. */
export interface LoggedEvent {
  type: string;
  step: number;
  time?: string;
  [field: string]: unknown;
}

/** A line as an event; undefined if it is none. */
export function parseEvent(line: string): LoggedEvent | undefined {
  try {
    const event = JSON.parse(line) as LoggedEvent | null;
    return typeof event?.type === "string" && Number.isFinite(event.step) ? event : undefined;
  } catch {
    return undefined;
  }
}
