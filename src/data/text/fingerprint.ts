import { sha256 } from "../../io/digest.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { TokenSequence } from "./tokens.ts";

const PIECE = 2 ** 22;

/** Tells token sequences, and what their tokens stand for, from others. */
export function fingerprint(tokenizer: Tokenizer, sequences: readonly TokenSequence[]): string {
  function* parts(): Iterable<Uint8Array | string> {
    yield JSON.stringify(tokenizer.toJSON());
    for (const tokens of sequences) {
      yield `\0${tokens.length}\0`;
      for (let from = 0; from < tokens.length; from += PIECE) {
        const piece = tokens.slice(from, Math.min(from + PIECE, tokens.length));
        yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
      }
    }
  }
  return sha256(parts());
}
