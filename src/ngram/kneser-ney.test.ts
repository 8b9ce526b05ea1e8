import { describe, expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import { countNgrams } from "./count.ts";
import { referenceModel } from "./kneser-ney.reference.ts";
import { kneserNey } from "./kneser-ney.ts";
import { NgramTable } from "./table.ts";

const END = 1;

/** Words drawn so that some are frequent and some never come; `END` ends sentences. */
function randomText(words: number, vocabularySize: number, seed: number): Int32Array {
  const generator = new Generator(seed);
  const text = Int32Array.from({ length: words }, () => {
    const word = Math.floor(vocabularySize * generator.uniform() ** 2);
    return word === vocabularySize - 1 ? 0 : word;
  });
  text[words - 1] = END;
  return text;
}

const name = (word: number) => `w${word}`;

function sentencesOf(text: Int32Array, sentenceEnd: number | undefined): string[][] {
  const sentences: string[][] = [[]];
  for (const [i, word] of text.entries()) {
    sentences.at(-1)!.push(name(word));
    if (word === sentenceEnd && i < text.length - 1) sentences.push([]);
  }
  return sentences;
}

/** The table in float64. */
function preciseTable(text: Int32Array, options: Parameters<typeof countNgrams>[1], minCount?: number[]) {
  const { model, discounts } = kneserNey(countNgrams(text, options), minCount);
  const { probabilities, weights, ...trie } = model;
  const columns = { logProbs: probabilities.map(Math.log10), backoffs: weights.map(Math.log10) };
  return { table: new NgramTable({ ...trie, ...columns }), discounts };
}

/** The state after some words. */
const after = (table: NgramTable, words: readonly number[], from = table.start) =>
  words.reduce((state, word) => table.step(state, word), from);

describe("modified Kneser–Ney", () => {
  it.each([
    { order: 1, words: 400, V: 12, sentenceEnd: END },
    { order: 2, words: 400, V: 12, sentenceEnd: END },
    { order: 3, words: 600, V: 9, sentenceEnd: END },
    { order: 4, words: 600, V: 30, sentenceEnd: undefined },
    { order: 5, words: 800, V: 6, sentenceEnd: END },
    { order: 6, words: 300, V: 40, sentenceEnd: END },
    { order: 3, words: 2, V: 4, sentenceEnd: END },
  ])("order $order has the probabilities of the paper's formulas to 1e-12: $words words of $V", (test) => {
    const { order, words, V, sentenceEnd } = test;
    const text = randomText(words, V, order);
    const { table, discounts } = preciseTable(text, { order, vocabularySize: V, sentenceEnd });
    const vocabulary = Array.from({ length: V }, (_, word) => name(word));
    const reference = referenceModel(sentencesOf(text, sentenceEnd), order, vocabulary);
    discounts.forEach(({ values }, n) => {
      values.forEach((value, i) => {
        expect(Math.abs(value - reference.discounts[n]![i]!)).toBeLessThan(1e-12);
      });
    });
    // Contexts that come in the text, at its beginning, and such as do not come.
    const contexts: number[][] = [[], [text[0]!]];
    const generator = new Generator(order);
    for (let i = 0; i < 25; i++) {
      const at = generator.below(words);
      const length = generator.below(order + 1);
      contexts.push([...text.subarray(at, at + length)]);
      contexts.push(Array.from({ length }, () => generator.below(V)));
    }
    for (const context of contexts) {
      for (const fromStart of [true, false]) {
        if (!fromStart && context.includes(END)) continue;
        const state = after(table, context, fromStart ? table.start : 0);
        const history = [...(fromStart ? ["<s>"] : []), ...context.map(name)];
        const words = order > 1 ? history.slice(1 - order) : [];
        for (let word = 0; word < V; word++) {
          table.step(state, word);
          const expected = reference.probability(name(word), words);
          expect(Math.abs(Math.exp(table.logProb) - expected)).toBeLessThan(1e-12);
        }
      }
    }
  });
});
