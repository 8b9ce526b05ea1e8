import { describe, expect, it } from "vitest";
import { Generator } from "../../tensor/random.ts";
import { readBook } from "./book.ts";
import { pickSentences, shuffleWords } from "./sentences.ts";

const text = `CHAPTER 1. Loomings.

Call me Ishmael. Some years ago, never mind how long precisely, I thought I would
sail about a little and see the watery part of the world. It is a way I have of
driving off the spleen! Was it not so?`;

describe("sentences", () => {
  it("are whole, of 6 to 30 words, whatever the line breaks", () => {
    expect(pickSentences(text, 10)).toEqual([
      "Some years ago, never mind how long precisely, I thought I would sail about a little and see the watery part of the world.",
      "It is a way I have of driving off the spleen!",
    ]);
    expect(pickSentences(text, 1)).toHaveLength(1);
  });

  it("have twins of the same words, first word and punctuation in place", () => {
    const [sentence] = pickSentences(text, 10);
    const twin = shuffleWords(sentence!, new Generator(1));
    expect(twin).toMatchInlineSnapshot(
      `"Some precisely years, watery of the long would, ago world the never thought a I see little part about I mind how and sail."`,
    );
    const sorted = (s: string) => s.match(/\w+/g)!.sort();
    expect(twin).not.toBe(sentence);
    expect(sorted(twin)).toEqual(sorted(sentence!));
    expect(shuffleWords(sentence!, new Generator(1))).toBe(twin);
    expect(shuffleWords("No no no!", new Generator(1))).toBe("No no no!");
  });
});

it("the book is there, from Loomings to the epilogue", () => {
  const book = readBook();
  expect(book.length).toBeGreaterThan(1_100_000);
  expect(book).toMatch(/^CHAPTER 1\. Loomings\./);
  expect(book.trimEnd()).toMatch(/found another orphan\.$/);
  const heldOut = book.slice(-Math.floor(book.length / 10));
  expect(pickSentences(heldOut, 100)).toHaveLength(100);
});
