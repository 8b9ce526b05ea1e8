import { describe, expect, it } from "vitest";
import { decodeText, normalizeText } from "./text.ts";
import { splitText } from "./text-cut.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

describe("decodeText", () => {
  it("reads UTF-8 and makes every line end \\n", () => {
    expect(decodeText(utf8("\uFEFFnaïve 字 🌊\r\nsecond\rthird\n"))).toBe("naïve 字 🌊\nsecond\nthird\n");
  });

  it("names the offset of the first bad byte", () => {
    expect(() => decodeText(bytes(97, 98, 0xe9, 99), "book.txt")).toThrowErrorMatchingInlineSnapshot(`
      [DataError: book.txt: is not valid UTF-8: byte 0xE9 at offset 2
      hint: save it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8]
    `);
  });

  it.each([
    ["a lone continuation byte", [97, 0x80], 1],
    ["an overlong form", [97, 0xc0, 0xaf], 1],
    ["an overlong form of three", [0xe0, 0x80, 0xaf], 0],
    ["a surrogate", [97, 98, 0xed, 0xa0, 0x80], 2],
    ["past U+10FFFF", [0xf4, 0x90, 0x80, 0x80], 0],
    ["a truncated character", [97, 0xe5, 0xad], 1],
    ["a sequence cut by another", [0xe5, 0xad, 97], 0],
  ])("refuses %s", (_, values, offset) => {
    expect(() => decodeText(bytes(...values))).toThrow(`at offset ${offset}`);
    expect(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes(...values))).toThrow();
  });

  it("refuses empty, binary and UTF-16 files", () => {
    expect(() => decodeText(bytes(), "book.txt")).toThrowErrorMatchingInlineSnapshot(
      `[DataError: book.txt: is empty]`,
    );
    expect(() => decodeText(bytes(97, 0, 98), "book.txt")).toThrowErrorMatchingInlineSnapshot(
      `[DataError: book.txt: looks binary, not text: a zero byte at offset 1]`,
    );
    expect(() => decodeText(bytes(0xff, 0xfe, 97, 0), "book.txt")).toThrowErrorMatchingInlineSnapshot(`
      [DataError: book.txt: must be UTF-8, got UTF-16
      hint: save it as UTF-8]
    `);
  });
});

it("normalizeText refuses half a surrogate pair", () => {
  expect(() => normalizeText("a\ud83c")).toThrowErrorMatchingInlineSnapshot(
    `[DataError: text: is not well-formed Unicode: half of a surrogate pair stands alone]`,
  );
});

describe("splitText", () => {
  it("cuts between code points", () => {
    const [train, held] = splitText(`${"🌊".repeat(9)}x`, 0.1, "character");
    expect(train).toBe("🌊".repeat(9));
    expect(held).toBe("x");
    expect(splitText("0123456789".repeat(10), 0.1, "character").map((part) => part.length)).toEqual([90, 10]);
  });

  it("cuts after a line", () => {
    expect(splitText("one two\nthree four\nfive\n", 0.4, "line")).toEqual([
      "one two\n",
      "three four\nfive\n",
    ]);
  });
});
