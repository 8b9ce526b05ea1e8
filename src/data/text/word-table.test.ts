import { expect, it } from "vitest";
import { WordTable } from "./word-table.ts";

it("finds each of its words where it stands in a text, and no other", () => {
  const words = Array.from({ length: 20_000 }, (_, i) => `${i.toString(36)}é字🌊`.slice(0, 1 + (i % 9)) + i);
  const table = new WordTable(words);
  expect(table.size).toBe(words.length);
  const text = words.join(" ");
  let at = 0;
  let wrong = 0;
  for (const [number, word] of words.entries()) {
    if (table.find(text, at, at + word.length) !== number || table.word(number) !== word) wrong++;
    if (table.find(`${word}!`, 0, word.length + 1) !== -1) wrong++;
    at += word.length + 1;
  }
  expect(wrong).toBe(0);
});
