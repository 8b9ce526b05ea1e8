/** Where a text may be cut in two: after a whole code point, or after a whole line. */
export type CutAt = "character" | "line";

/** How long a text is, as its cut is measured. */
export function measureText(text: string, at: CutAt): number {
  return at === "line" ? text.length : countCodePoints(text);
}

/**
 * Cuts a text in two, the second part being its last `fraction`. The text comes in pieces, which, where the cut is after
 * a line, end with a line themselves.
 */
export class TextCut {
  readonly #at: CutAt;
  readonly #lengths: readonly number[];
  #piece = 0;
  /** What lies between the pieces so far and the place of the cut. */
  #left: number;
  #done = false;

  /** `lengths` are those of all pieces, as `measureText` gives them. */
  constructor(lengths: readonly number[], fraction: number, at: CutAt) {
    const total = lengths.reduce((sum, length) => sum + length, 0);
    this.#at = at;
    this.#lengths = lengths;
    // 1 − 0.1 is a hair below 0.9: rounded, so that nine tenths of a round number are what one expects.
    this.#left = Math.floor(total * (at === "line" ? 1 - fraction : Number((1 - fraction).toFixed(12))));
  }

  /** What the next piece has before the cut, and what after. */
  split(piece: string): [before: string, after: string] {
    if (this.#done) return ["", piece];
    const length = this.#lengths[this.#piece++]!;
    if (length <= this.#left) {
      this.#left -= length;
      return [piece, ""];
    }
    this.#done = true;
    const cut =
      this.#at === "line" ? piece.lastIndexOf("\n", this.#left) + 1 : codePointOffset(piece, this.#left);
    return [piece.slice(0, cut), piece.slice(cut)];
  }
}

/** Cuts a text that is at hand as a whole. */
export function splitText(text: string, fraction: number, at: CutAt): [before: string, after: string] {
  return new TextCut([measureText(text, at)], fraction, at).split(text);
}

const startsPair = (unit: number) => (unit & 0xfc00) === 0xd800;

function countCodePoints(text: string): number {
  // Much faster than counting, and most texts have none.
  if (!/[\ud800-\udbff]/.test(text)) return text.length;
  let count = text.length;
  for (let i = 0; i < text.length; i++) if (startsPair(text.charCodeAt(i))) count--;
  return count;
}

/** Where in the string the code point of this number begins. */
function codePointOffset(text: string, number: number): number {
  let offset = 0;
  for (let left = number; left > 0; left--) offset += startsPair(text.charCodeAt(offset)) ? 2 : 1;
  return offset;
}
