/**
 * Watches text come in pieces for the first of some strings, and holds back only what may turn out to be the beginning
 * of one.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  /** What may turn out to be the beginning of one. */
  held = "";
  /** Whether one was found; everything from it on is dropped. */
  found = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The part of the text so far that is safe to show. */
  push(piece: string): string {
    if (this.found) return "";
    const text = this.held + piece;
    const at = firstComplete(text, this.#stops);
    if (at >= 0) {
      this.found = true;
      this.held = "";
      return text.slice(0, at);
    }
    const safe = text.length - Math.max(0, ...this.#stops.map((stop) => overlap(text, stop)));
    this.held = text.slice(safe);
    return text.slice(0, safe);
  }

  /** What was held back, at the end of the text. */
  end(): string {
    const rest = this.held;
    this.held = "";
    return rest;
  }
}

/** Where the stop that is complete first begins, or −1. Complete first, so that pieces of any size give the same. */
function firstComplete(text: string, stops: readonly string[]): number {
  let start = -1;
  let end = Number.POSITIVE_INFINITY;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at < 0 || at + stop.length > end || (at + stop.length === end && at > start)) continue;
    start = at;
    end = at + stop.length;
  }
  return start;
}

/** The longest end of `text` with which `stop` begins. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
