import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { gunzip } from "./gzip.ts";

const text = new TextEncoder().encode("the whale ".repeat(10_000));
const packed = new Uint8Array(gzipSync(text));

it("unpacks what is packed and leaves the rest alone", async () => {
  expect(await gunzip(packed, 1e6, "book.gz")).toEqual(text);
  expect(await gunzip(text, 1e6, "book.txt")).toBe(text);
});

it("refuses what is damaged or unpacks to too much", async () => {
  await expect(gunzip(packed.subarray(0, 100), 1e6, "book.gz")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[FormatError: book.gz: is packed by gzip, but damaged]`,
  );
  await expect(gunzip(packed, 1e5 - 1, "book.gz")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[FormatError: book.gz: is too large: more than 99999 bytes unpacked]`,
  );
});
