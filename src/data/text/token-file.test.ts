import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Generator } from "../../tensor/random.ts";
import { TokenFile, TokenWriter } from "./token-file.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function random(count: number, below: number): Int32Array {
  const generator = new Generator(1);
  return Int32Array.from({ length: count }, () => generator.below(below));
}

function write(name: string, tokens: Int32Array, size: number, piece = 70_001): string {
  const path = join(root, name);
  const writer = new TokenWriter(path, size, '{"unit":"é"}');
  for (let from = 0; from < tokens.length; from += piece) writer.write(tokens.slice(from, from + piece));
  writer.finish(10);
  writer.close();
  return path;
}

describe("a token file", () => {
  it.each([
    ["U8", 256, 1],
    ["U16", 257, 2],
    ["U16", 65_536, 2],
    ["I32", 65_537, 4],
  ])("has tokens as %s if there are %i different ones", (dtype, size, bytes) => {
    const tokens = random(1_200_001, size);
    const path = write(`${size}.tokens`, tokens, size);
    const file = new TokenFile(path);
    expect([file.length, file.cut, file.about]).toEqual([tokens.length, 10, '{"unit":"é"}']);
    for (const [from, to] of [
      [0, 1],
      [65_530, 65_540],
      [0, tokens.length],
      [tokens.length - 1, tokens.length],
      [5, 5],
    ] as const) {
      expect(
        Buffer.from(file.slice(from, to).buffer).equals(Buffer.from(tokens.slice(from, to).buffer)),
      ).toBe(true);
    }
    expect(file.part(100, 200).slice(3, 7)).toEqual(tokens.slice(103, 107));
    file.close();

    // Any program that reads safetensors reads it.
    const content = readFileSync(path);
    const length = Number(content.readBigUInt64LE());
    const header = JSON.parse(content.toString("utf8", 8, 8 + length));
    expect(header.tokens).toEqual({
      dtype,
      shape: [tokens.length],
      data_offsets: [0, tokens.length * bytes],
    });
    expect(header.checksums.data_offsets[1]).toBe(content.length - 8 - length);
    expect(length % 8).toBe(0);
  });

  it("that is not what was written is found out", () => {
    const tokens = random(3_000_000, 100);
    const good = write("good.tokens", tokens, 100);
    const size = readFileSync(good).length;
    const attempt = (change: (path: string) => void) => {
      const path = join(root, "bad.tokens");
      copyFileSync(good, path);
      change(path);
      let file: TokenFile | undefined;
      try {
        file = new TokenFile(path);
        for (let at = 0; at < file.length; at += 1000) file.slice(at, at + 1000);
        return "none";
      } catch (error) {
        if (file) expect(existsSync(path)).toBe(false);
        return `${file ? "when read" : "when opened"}: ${(error as Error).message.replaceAll(root, "…")}`;
      } finally {
        file?.close();
      }
    };
    const flip = (at: number) => (path: string) => {
      const content = readFileSync(path);
      content[at]! ^= 1;
      writeFileSync(path, content);
    };
    const about = readFileSync(good).indexOf("unit");
    expect(attempt(() => {})).toBe("none");
    expect([
      attempt((path) => truncateSync(path, size - 1)),
      attempt((path) => truncateSync(path, 4)),
      attempt((path) => writeFileSync(path, readFileSync(path).subarray(1))),
      attempt((path) => writeFileSync(path, "")),
      attempt((path) => writeFileSync(path, "{}".repeat(1000))),
      attempt(flip(about)),
      attempt(flip(size - 1)),
      attempt(flip(1000)),
      attempt(flip(size >> 1)),
      attempt(flip((size >> 1) - 70_000)),
    ]).toMatchInlineSnapshot(`
      [
        "when opened: …/bad.tokens: is not a token file, or not a whole one
      hint: start again: it is made anew from the text",
        "when opened: …/bad.tokens: is not a token file
      hint: start again: it is made anew from the text",
        "when opened: …/bad.tokens: is not a token file
      hint: start again: it is made anew from the text",
        "when opened: …/bad.tokens: is not a token file
      hint: start again: it is made anew from the text",
        "when opened: …/bad.tokens: is not a token file
      hint: start again: it is made anew from the text",
        "when opened: …/bad.tokens: is not what was written
      hint: start again: it is made anew from the text",
        "when opened: …/bad.tokens: is not what was written
      hint: start again: it is made anew from the text",
        "when opened: …/bad.tokens: is not what was written
      hint: start again: it is made anew from the text",
        "when read: …/bad.tokens: is not what was written
      hint: start again: it is made anew from the text",
        "when opened: …/bad.tokens: is not what was written
      hint: start again: it is made anew from the text",
      ]
    `);
  });
});
