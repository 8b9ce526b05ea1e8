import type { Generator } from "../../tensor/random.ts";

const SHORTEST = 6;
const LONGEST = 30;

/** Up to `count` whole sentences of 6 to 30 words, spread evenly over a text. */
export function pickSentences(text: string, count: number): string[] {
  const sentences = text
    .split(/\n\s*\n/)
    .flatMap(
      (paragraph) => paragraph.replace(/\s+/g, " ").match(/\p{Lu}[^.!?]*[.!?](?=["'”’)]* \p{Lu}|$)/gu) ?? [],
    )
    .filter((sentence) => {
      const words = sentence.split(" ").length;
      return words >= SHORTEST && words <= LONGEST;
    });
  if (sentences.length <= count) return sentences;
  return Array.from({ length: count }, (_, i) => sentences[Math.floor((i * sentences.length) / count)]!);
}

/**
 * The sentence's twin: the same words in another, random order. The first word and all punctuation stay where they are,
 * so that nothing but the order of words tells the two apart.
 */
export function shuffleWords(sentence: string, generator: Generator): string {
  const word = /[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu;
  const [first, ...words] = sentence.match(word) ?? [];
  if (new Set(words).size < 2) return sentence;
  for (;;) {
    const shuffled = [first, ...generator.shuffle([...words])];
    const twin = sentence.replace(word, () => shuffled.shift()!);
    if (twin !== sentence) return twin;
  }
}
