import { describe, expect, it } from "vitest";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { tokenizerFromJSON } from "./tokenizer-json.ts";
import { WordTokenizer } from "./word-tokenizer.ts";
import { splitWords } from "./words.ts";

const copy = (tokenizer: Tokenizer) => tokenizerFromJSON(JSON.parse(JSON.stringify(tokenizer)));

describe("characters", () => {
  const text = "Wave 🌊,\nwave 字!";
  const tokenizer = CharTokenizer.of(text);

  it("are code points, in their order", () => {
    expect(tokenizer.symbols).toEqual(["\n", " ", "!", ",", "W", "a", "e", "v", "w", "字", "🌊"]);
    expect(tokenizer.size).toBe(11);
    expect(tokenizer.lineBreak).toBe(0);
    expect([...tokenizer.encode("a🌊\n")]).toEqual([5, 10, 0]);
  });

  it("come back as they were", async () => {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect((await copy(tokenizer)).encode(text)).toEqual(tokenizer.encode(text));
  });

  it("of several texts are in one vocabulary", () => {
    expect(CharTokenizer.of("ab", "bc").symbols).toEqual(["a", "b", "c"]);
  });

  it("never seen are listed", () => {
    expect(() => tokenizer.encode("wäve über", "prompt")).toThrowErrorMatchingInlineSnapshot(`
      [DataError: prompt: holds characters the model has never seen: "ä" (U+00E4), "ü" (U+00FC), "b" (U+0062), "r" (U+0072)
      hint: its vocabulary is the 11 characters of the text it was trained on; a model of unit "byte" takes any text]
    `);
    expect(() => tokenizer.encode("0123456789xyz")).toThrow(/"9" \(U\+0039\) and 3 more/);
  });
});

describe("bytes", () => {
  const tokenizer = new ByteTokenizer();

  it("are those of UTF-8", async () => {
    expect([...tokenizer.encode("aé\n")]).toEqual([97, 0xc3, 0xa9, 10]);
    expect(tokenizer.decode(tokenizer.encode("\uFEFFaé字🌊"))).toBe("\uFEFFaé字🌊");
    expect((await copy(tokenizer)).size).toBe(256);
  });

  it("show a character when it is whole", () => {
    const decoder = tokenizer.decoder();
    expect([...tokenizer.encode("a字b")].map((token) => decoder.push(token))).toEqual([
      "a",
      "",
      "",
      "字",
      "b",
    ]);
    decoder.push(0xe5);
    expect(decoder.end()).toBe("\uFFFD");
  });
});

describe("words", () => {
  const text = "the cat sat\non the mat\n\nthe cat <unk>\n";

  it("are split as the Penn Treebank is: at blanks, with <eos> for a line break", async () => {
    const tokenizer = WordTokenizer.of(text);
    expect(tokenizer.words).toEqual(["<unk>", "<eos>", "the", "cat", "mat", "on", "sat"]);
    expect([...tokenizer.encode("the dog sat\n")]).toEqual([2, 0, 6, 1]);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect((await copy(tokenizer)).encode(text)).toEqual(tokenizer.encode(text));
  });

  it("are as many as asked for, the frequent ones", () => {
    expect(WordTokenizer.of(text, { maxVocabulary: 4 }).words).toEqual(["<unk>", "<eos>", "the", "cat"]);
    expect(WordTokenizer.of(text, { minCount: 3 }).words).toEqual(["<unk>", "<eos>", "the"]);
    expect(WordTokenizer.of("a b a", {}).words).toEqual(["<unk>", "<eos>", "a"]);
    expect(() => WordTokenizer.of("a b")).toThrowErrorMatchingInlineSnapshot(`
      [DataError: text: no word is left: none of 2 occurs 2 times or more
      hint: lower minCount]
    `);
  });

  it("can be lower-cased", async () => {
    const tokenizer = WordTokenizer.of("The the THE", { lowercase: true });
    expect([...(await copy(tokenizer)).encode("tHe")]).toEqual([2]);
  });

  it("can have the punctuation apart, and put together again", () => {
    const line = "“Well-known,” said Mr. O’Brien (he paid 1,000.50).";
    expect(splitWords(line, "punctuation")).toEqual(
      "“ Well-known , ” said Mr . O’Brien ( he paid 1,000.50 ) .".split(" "),
    );
    const tokenizer = WordTokenizer.of(line, { split: "punctuation", minCount: 1 });
    expect(tokenizer.decode(tokenizer.encode(line))).toBe(line);
  });

  it("of Chinese are found by Intl.Segmenter, and nothing is lost", () => {
    const line = "我今天去超市,买了 two apples。";
    expect(splitWords("我今天去超市", "segmenter")).toEqual(["我", "今天", "去", "超市"]);
    const tokenizer = WordTokenizer.of(line, { split: "segmenter", minCount: 1 });
    expect(tokenizer.decode(tokenizer.encode(`${line}\n${line}`))).toBe(`${line}\n${line}`);
  });

  it("have names that are JavaScript's own", async () => {
    const tokenizer = WordTokenizer.of("constructor __proto__ constructor", { minCount: 1 });
    expect((await copy(tokenizer)).decode([2, 3])).toBe("constructor __proto__");
    expect([...tokenizer.encode("toString")]).toEqual([0]);
  });
});

it("a token outside the vocabulary is refused", () => {
  expect(() => CharTokenizer.of("abc").decode([3])).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: decode: token must be a whole number from 0 to 2, got 3]`,
  );
});

describe("tokenizer.json", () => {
  const problem = async (json: unknown) => {
    try {
      await tokenizerFromJSON(json, "model/tokenizer.json");
    } catch (error) {
      return String(error);
    }
    return "none";
  };

  it("is refused with the reason", async () => {
    const char = { formatVersion: 1, unit: "char" };
    const word = { formatVersion: 1, unit: "word", split: "whitespace", lowercase: false };
    expect(
      await Promise.all(
        [
          null,
          [],
          { unit: "syllable" },
          { unit: "byte" },
          { formatVersion: 2, unit: "byte" },
          { formatVersion: 1, unit: "byte", symbols: [] },
          { ...char, symbols: [] },
          { ...char, symbols: ["a", "a"] },
          { ...char, symbols: ["ab"] },
          { ...char, symbols: ["\ud800"] },
          { ...char, symbols: [7] },
          { ...char, symbols: "abc" },
          { ...word, words: ["a", "b"] },
          { ...word, words: ["<unk>", "<eos>", ""] },
          { ...word, words: ["<unk>", "<eos>"], split: "sideways" },
          { ...word },
        ].map(problem),
      ),
    ).toMatchInlineSnapshot(`
      [
        "FormatError: model/tokenizer.json: must be an object, got null",
        "FormatError: model/tokenizer.json: unit is missing",
        "FormatError: model/tokenizer.json: unit must be char, byte or word, got "syllable"",
        "FormatError: model/tokenizer.json: formatVersion is missing",
        "FormatError: model/tokenizer.json: formatVersion must be 1, got 2: a newer version of unrolled wrote it",
        "FormatError: model/tokenizer.json: symbols is not known (known are formatVersion, unit)",
        "FormatError: model/tokenizer.json: symbols must not be empty",
        "FormatError: model/tokenizer.json: symbols must not hold an entry twice",
        "FormatError: model/tokenizer.json: symbols must hold one character each",
        "FormatError: model/tokenizer.json: symbols must hold one character each",
        "FormatError: model/tokenizer.json: symbols.0 must be a string, got 7",
        "FormatError: model/tokenizer.json: symbols must be an array of strings",
        "FormatError: model/tokenizer.json: words must begin with <unk> and <eos>",
        "FormatError: model/tokenizer.json: words must hold words",
        "FormatError: model/tokenizer.json: split must be whitespace, punctuation or segmenter, got "sideways"",
        "FormatError: model/tokenizer.json: words is missing",
      ]
    `);
  });
});
