/** The tokens of a text, wherever they are. An Int32Array is one. */
export interface TokenSequence {
  readonly length: number;
  /** A copy of the tokens [from, to). */
  slice(from: number, to: number): Int32Array;
}
