import { describe, expect, it } from "vitest";
import { decodeText } from "./text.ts";
import { measureText, splitText, TextCut } from "./text-cut.ts";
import { Utf8Reader } from "./utf8.ts";
import { WordCounts, WordTokenizer } from "./word-tokenizer.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A text from bytes in pieces of a size, in a buffer that is used again. */
function readInPieces(bytes: Uint8Array, size: number): string {
  const reader = new Utf8Reader("book.txt");
  const buffer = new Uint8Array(size);
  let text = "";
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    buffer.set(piece);
    text += reader.push(buffer.subarray(0, piece.length));
  }
  return text + reader.end();
}

describe("UTF-8 in pieces", () => {
  const sizes = [1, 2, 3, 4, 5, 7, 64];

  it.each(sizes)("is the same text in pieces of %i", (size) => {
    for (const text of ["\uFEFFnaïve 字 🌊\r\nsecond\rthird\r\n\r\n", "a\r", "\r\n", "🌊🌊🌊", "\uFEFF"]) {
      expect(readInPieces(utf8(text), size)).toBe(decodeText(utf8(text)));
    }
  });

  it.each(sizes)("names the offset of a bad byte in pieces of %i", (size) => {
    const problem = (...bytes: (string | number)[]) => {
      const all = bytes.flatMap((part) => (typeof part === "string" ? [...utf8(part)] : part));
      try {
        return readInPieces(Uint8Array.from(all), size);
      } catch (error) {
        return (error as Error).message.split("\n")[0];
      }
    };
    expect([
      problem("naïve 字 🌊", 0xe9, " and on"),
      problem("naïve 字 🌊", 0xf0, 0x9f, 0x8c),
      problem("naïve 字 🌊", 0xf0, 0x9f, "and on"),
      problem("naïve 字 🌊", 0),
      problem(),
    ]).toEqual([
      "book.txt: is not valid UTF-8: byte 0xE9 at offset 15",
      "book.txt: is not valid UTF-8: byte 0xF0 at offset 15",
      "book.txt: is not valid UTF-8: byte 0xF0 at offset 15",
      "book.txt: looks binary, not text: a zero byte at offset 15",
      "book.txt: is empty",
    ]);
  });
});

describe("lines", () => {
  const pieces = (texts: string[], longest?: number) => {
    const reader = new Utf8Reader("text", longest);
    return [...texts.map((text) => reader.push(utf8(text))), reader.end(), reader.open];
  };

  it("come out when they are whole", () => {
    expect(pieces(["a b", " c\nd", "", "e\nf\r\n", "g"])).toEqual([
      "",
      "a b c\n",
      "",
      "de\nf\n",
      "",
      "g",
      true,
    ]);
    expect(pieces(["a\n", "b\r"])).toEqual(["a\n", "", "b\n", false]);
  });

  it("are cut at a blank, or anywhere between characters, if they are too long", () => {
    expect(pieces(["ab cd ef", "ghij", "klmnopqrst", "\n"], 6)).toEqual([
      "ab cd ",
      "",
      "efghijklmnopqrst",
      "\n",
      "",
      false,
    ]);
    expect(pieces(["ab\rcd\ref gh\r", "\nij"], 6)).toEqual(["ab\ncd\n", "ef gh\n", "ij", true]);
    expect(pieces(["abcdefgh\r", "\n"], 6)).toEqual(["abcdefgh", "\n", "", false]);
    const reader = new Utf8Reader("text", 3);
    const cut = [...utf8("字🌊字🌊")].map((byte) => reader.push(Uint8Array.of(byte)));
    expect(cut.filter((piece) => piece !== "")).toEqual(["字", "🌊", "字", "🌊"]);
  });
});

describe("a cut through pieces", () => {
  it.each(["character", "line"] as const)("after a %s is the one through the whole", (at) => {
    const text = "one 🌊\ntwo\n\nthree four 字 five\nsix\n🌊🌊\nseven".repeat(3);
    const lines = text.match(/.*\n|.+$/g)!;
    for (let percent = 1; percent <= 50; percent++) {
      const lengths = lines.map((line) => measureText(line, at));
      const cut = new TextCut(lengths, percent / 100, at);
      const parts = lines.map((line) => cut.split(line));
      const joined = [parts.map(([before]) => before).join(""), parts.map(([, after]) => after).join("")];
      expect(joined).toEqual(splitText(text, percent / 100, at));
    }
  });
});

describe("counting words", () => {
  it("in pieces gives the vocabulary of the whole", () => {
    const lines = ["the cat sat\n", "on the mat\n", "the <unk> cat\n"];
    const counts = new WordCounts();
    for (const line of lines) counts.add(line);
    expect(counts.tokenizer().words).toEqual(WordTokenizer.of(lines.join("")).words);
  });

  it("forgets the rarest when there are too many", () => {
    const counts = new WordCounts({}, 100);
    for (let i = 0; i < 1000; i++) counts.add(`often once${i} <unk> sometimes${i % 10}\n`);
    expect(
      counts
        .tokenizer()
        .words.slice(0, 12)
        .map((word) => word.replace(/\d/, "")),
    ).toEqual(["<unk>", "<eos>", "often", ...new Array(9).fill("sometimes")]);
    expect(counts.tokenizer().size).toBeLessThan(110);
  });
});
