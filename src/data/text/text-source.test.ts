import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { inMemoryIfSmall, TextInFiles, TextInMemory } from "./text-source.ts";

let root: string;
const path = (name: string) => join(root, name);
const long = Array.from({ length: 40_000 }, (_, i) => `line ${i} 字 🌊\r\n`).join("");
const plain = long.replaceAll("\r", "");

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  mkdirSync(path("corpus/deep"), { recursive: true });
  for (const name of ["b", "a", "10", "9", "Z"]) writeFileSync(path(`corpus/${name}.txt`), `of ${name}`);
  writeFileSync(path("corpus/deep/c.txt"), "of c\n");
  writeFileSync(path("corpus/empty.txt"), "");
  writeFileSync(path("odd[1].txt"), "odd");
  writeFileSync(path("long.txt"), long);
  writeFileSync(path("long.txt.gz"), gzipSync(long));
  // Two members, as `cat a.gz b.gz` makes them, under a name that does not tell.
  writeFileSync(path("twice.txt"), Buffer.concat([gzipSync(long), gzipSync(long)]));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function read(...patterns: string[]): Promise<string> {
  const text = await TextInFiles.open(patterns.map(path), "corpus");
  let all = "";
  for await (const piece of text.pieces()) all += piece;
  return all;
}

describe("a text in files", () => {
  it("comes in pieces that end with a line", async () => {
    const text = await TextInFiles.open([path("long.txt")], "corpus");
    const pieces: string[] = [];
    let bytes = 0;
    for await (const piece of text.pieces((count) => (bytes += count))) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.every((piece) => piece.endsWith("\n"))).toBe(true);
    expect(pieces.join("") === plain).toBe(true);
    expect(bytes).toBe(text.bytes);
  });

  it("is unpacked, whatever the file is called", async () => {
    expect((await read("long.txt.gz")) === plain).toBe(true);
    expect((await read("twice.txt")) === plain + plain).toBe(true);
  });

  it.skipIf(!zstdCompressSync)("is unpacked from zstd (needs Node 22.15)", async () => {
    const packed = zstdCompressSync(long);
    writeFileSync(path("long.zst"), Buffer.concat([packed, packed]));
    expect((await read("long.zst")) === plain + plain).toBe(true);
    truncateSync(path("long.zst"), packed.length / 2);
    expect(await problem(read("long.zst"))).toMatchInlineSnapshot(
      `"FormatError: …/long.zst: is packed by zstd, and cannot be unpacked: unexpected end of file"`,
    );
  });

  it("is read in the order given, globs by name, each file once, every file's last line ended", async () => {
    expect(await read("corpus/b.txt", "corpus/*.txt")).toBe("of b\nof 10\nof 9\nof Z\nof a");
    expect(await read("corpus/**/[bc].txt", "odd[1].txt")).toBe("of b\nof c\nodd");
  });

  it("says what is wrong, and where", async () => {
    writeFileSync(path("cut.gz"), gzipSync(long).subarray(0, 5000));
    writeFileSync(path("latin.txt.gz"), gzipSync(Buffer.from([...Buffer.from(plain), 0xe9, 10])));
    expect([
      await problem(read("cut.gz")),
      await problem(read("corpus/*.text")),
      await problem(read("corpus/a.txt", "missing.txt")),
      await problem(read("corpus")),
      await problem(read("corpus/empty.txt")),
      await problem(read("corpus/a.txt", "latin.txt.gz")),
    ]).toMatchInlineSnapshot(`
      [
        "FormatError: …/cut.gz: is packed by gzip, and cannot be unpacked: unexpected end of file",
        "FileError: …/corpus/*.text: no file matches",
        "FileError: …/missing.txt: cannot be read: there is no such file or folder",
        "FileError: …/corpus: cannot be read: it is a folder, not a file",
        "DataError: …/corpus/empty.txt: is empty",
        "DataError: …/latin.txt.gz: is not valid UTF-8: byte 0xE9 at offset 788890
      hint: save it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8",
      ]
    `);
  });

  it("has another stamp when it was written to, and another hash when its content is another", async () => {
    writeFileSync(path("changing.txt"), plain);
    const text = await TextInFiles.open([path("changing.txt")], "corpus");
    const [stamp, hash] = [await text.stamp(), await text.hash()];
    expect([await text.stamp(), await text.hash()]).toEqual([stamp, hash]);
    writeFileSync(path("changing.txt"), plain);
    expect(await text.stamp()).not.toBe(stamp);
    expect(await text.hash()).toBe(hash);
    writeFileSync(path("changing.txt"), plain.replace("line 15000", "Line 15000"));
    expect(await text.hash()).not.toBe(hash);
  });

  it.skipIf(process.platform === "win32")("may be a pipe, if it is small (not on Windows)", async () => {
    execFileSync("mkfifo", [path("pipe")]);
    const writing = writeFile(path("pipe"), "through a pipe");
    const open = async () => TextInFiles.open([path("corpus/a.txt"), path("pipe")], "pipe");
    expect(await inMemoryIfSmall(await open(), 100)).toMatchObject({ text: "of a\nthrough a pipe" });
    await writing;
    // The reader goes before all is written.
    const again = writeFile(path("pipe"), plain).catch(() => {});
    expect(await problem(inMemoryIfSmall(await open(), 100))).toMatchInlineSnapshot(`
      "DataError: pipe: is too long to be held in memory, and cannot be read a second time
      hint: save it to a file first"
    `);
    await again;
  });

  it("is held in memory if it is small, however small its packed file is", async () => {
    const open = async (name: string, limit: number) =>
      (await inMemoryIfSmall(await TextInFiles.open([path(name)], name), limit)) instanceof TextInMemory;
    expect(await open("long.txt", 1e6)).toBe(true);
    expect(await open("long.txt", 1e5)).toBe(false);
    expect(await open("long.txt.gz", 1e6)).toBe(true);
    expect(await open("long.txt.gz", 3e5)).toBe(false);
  });
});
