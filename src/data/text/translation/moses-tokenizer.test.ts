import { expect, it } from "vitest";
import { MosesTokenizer } from "./moses-tokenizer.ts";

const sentences = [
  "The dog's ball is red.",
  "A man saw the dog, and the dog saw the man.",
  'He said: "My ball!"',
];

it("gives back what it read, truecased or in lower case", async () => {
  const truecased = MosesTokenizer.of(sentences, "en", { minCount: 1 });
  for (const sentence of sentences) expect(truecased.decode(truecased.encode(sentence))).toBe(sentence);
  // "The" begins a sentence, and is "the" elsewhere.
  expect(truecased.wordsOf(sentences[0]!)).toEqual(["the", "dog", "'s", "ball", "is", "red", "."]);
  const lower = MosesTokenizer.of(sentences, "en", { minCount: 1, lowercase: true });
  for (const sentence of sentences) {
    expect(lower.decode(lower.encode(sentence))).toBe(sentence.toLowerCase());
  }
  const again = await MosesTokenizer.fromJSON(JSON.parse(JSON.stringify(truecased)), "tokenizer.json");
  expect(again.encode(sentences[1]!)).toEqual(truecased.encode(sentences[1]!));
  expect(again.decode(again.encode(sentences[1]!))).toBe(sentences[1]);
  const decoder = truecased.decoder();
  const text =
    [...truecased.encode(sentences[2]!)].map((token) => decoder.push(token)).join("") + decoder.end();
  expect(text).toBe(sentences[2]);
});

it("knows no word that is rare", () => {
  const made = MosesTokenizer.of(sentences, "en", { minCount: 3 });
  expect(made.decode(made.encode("the cat!"))).toBe("The <unk> <unk>");
});

it("says what a file must hold", async () => {
  await expect(MosesTokenizer.fromJSON({ language: 3, words: {} }, "tokenizer.json: source")).rejects.toThrow(
    "tokenizer.json: source: language must be a string, got 3",
  );
  await expect(
    MosesTokenizer.fromJSON({ language: "en", words: { unit: "verse" } }, "tokenizer.json: source"),
  ).rejects.toThrow("tokenizer.json: source: words: unit must be");
  await expect(
    MosesTokenizer.fromJSON({ language: "en", words: { formatVersion: 1, unit: "byte" } }, "t.json"),
  ).rejects.toThrow("t.json: words: unit must be word, got byte");
});
