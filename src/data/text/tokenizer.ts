import { UsageError } from "../../errors.ts";

/** What one token stands for: a Unicode code point, a byte of UTF-8, a word, or a part of a word (byte-pair encoding). */
export type Unit = "char" | "byte" | "word" | "bpe";

/** Between text and token numbers, 0 … size − 1. */
export interface Tokenizer {
  readonly unit: Unit;
  /** How many different tokens there are: V. */
  readonly size: number;
  /** The token of a line break, what text is taken to follow; undefined if there is none in the vocabulary. */
  readonly lineBreak: number | undefined;
  /** The token of everything outside the vocabulary; undefined if such text is refused. */
  readonly unknown: number | undefined;
  /** How many words share the probability of that token evenly; undefined if they do not. */
  readonly rareWords?: number | undefined;
  /** `what` names the text in an error. */
  encode(text: string, what?: string): Int32Array;
  decode(tokens: ArrayLike<number>): string;
  /** What a token is called: two vocabularies of one unit have a token in common if both have its name. */
  name(token: number): string;
  /** Decodes token by token what follows a text: words know from it whether a blank comes first. */
  decoder(after?: string): TokenDecoder;
  /** The content of tokenizer.json. */
  toJSON(): Record<string, unknown>;
}

/** Turns tokens into text one at a time; what it returns, joined, is what `decode` gives. */
export interface TokenDecoder {
  /** The text that is certain after this token, perhaps none yet. */
  push(token: number): string;
  /** What is left over. */
  end(): string;
}

export function decodeAll(decoder: TokenDecoder, tokens: ArrayLike<number>): string {
  let text = "";
  for (let i = 0; i < tokens.length; i++) text += decoder.push(tokens[i]!);
  return text + decoder.end();
}

/** The symbol of a token, which must be one of the vocabulary's. */
export function symbolOf(symbols: readonly string[], token: number): string {
  const symbol = symbols[token];
  if (symbol === undefined) {
    throw new UsageError(
      `decode: token must be a whole number from 0 to ${symbols.length - 1}, got ${token}`,
    );
  }
  return symbol;
}

/** The version of tokenizer.json that is written. */
export const TOKENIZER_VERSION = 1;
