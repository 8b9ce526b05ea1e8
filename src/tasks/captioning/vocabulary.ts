import { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { BOUNDARY } from "../../decoding/decoder-steps.ts";
import { captionWords } from "../../metrics/caption-tokens.ts";

/** The tokens that no caption has: those of unknown words and of the line break, as the network counts them. */
export const unsayable = ({ unknown, lineBreak }: WordTokenizer): number[] => [unknown + 1, lineBreak + 1];

/** The words of captions that are learnt from. */
export function learnWords(captions: readonly string[], minCount: number): WordTokenizer {
  return WordTokenizer.of(captions.map((caption) => captionWords(caption).join(" ")).join("\n"), {
    minCount,
  });
}

/** A caption's tokens as the network counts them, after the boundary, and the boundary at the end. */
export function encodeCaption(words: WordTokenizer, caption: string): Int32Array {
  const tokens = words.encode(captionWords(caption).join(" "));
  const out = new Int32Array(tokens.length + 1).fill(BOUNDARY);
  for (const [i, token] of tokens.entries()) out[i] = token + 1;
  return out;
}

export function decodeCaption(words: WordTokenizer, tokens: readonly number[]): string {
  return tokens.map((token) => words.name(token - 1)).join(" ");
}
