import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, it } from "vitest";
import { checkParallel, decodeLines, readLines } from "./lines.ts";

const folder = mkdtempSync(join(tmpdir(), "unrolled-lines-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const utf8 = (text: string) => new TextEncoder().encode(text);

it("end at line feeds and nowhere else; blank ones count", () => {
  expect(decodeLines(utf8("a\r\n\n b \rc\u2028d\u0085e\n"), "x")).toEqual(["a", "", " b \rc\u2028d\u0085e"]);
  expect(decodeLines(utf8("\uFEFFa\nb"), "x")).toEqual(["a", "b"]);
  expect(decodeLines(utf8("\n"), "x")).toEqual([""]);
  expect(decodeLines(utf8(""), "x")).toEqual([]);
});

it("come from a file, packed or not", async () => {
  writeFileSync(join(folder, "plain"), "eins\n\nzwei\n");
  writeFileSync(join(folder, "packed"), gzipSync("eins\n\nzwei\n"));
  const [plain, packed] = await Promise.all(["plain", "packed"].map((name) => readLines(join(folder, name))));
  expect(plain!.lines).toEqual(["eins", "", "zwei"]);
  expect(packed!.lines).toEqual(plain!.lines);
});

it("tells what is no text, and which file has how many lines more", () => {
  const file = (name: string, count: number) => ({ name, lines: Array<string>(count).fill("a") });
  expect(() => decodeLines(Uint8Array.of(97, 0xe9, 10), "x.de")).toThrowErrorMatchingInlineSnapshot(`
    [DataError: x.de: is not valid UTF-8: byte 0xE9 at offset 1
    hint: save it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8]
  `);
  expect(() => decodeLines(Uint8Array.of(97, 0), "x.de")).toThrowErrorMatchingInlineSnapshot(
    `[DataError: x.de: looks binary, not text: a zero byte at offset 1]`,
  );
  expect(() =>
    checkParallel(file("x.de", 3), file("x.en", 3), file("y.en", 5)),
  ).toThrowErrorMatchingInlineSnapshot(
    `[DataError: y.en: must have as many lines as x.de, 3, got 5, 2 more]`,
  );
  expect(() => checkParallel(file("x.de", 3), file("x.en", 2))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: x.en: must have as many lines as x.de, 3, got 2, 1 fewer]`,
  );
  expect(() => checkParallel(file("x.de", 0), file("x.en", 2))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: x.de: is empty]`,
  );
});
