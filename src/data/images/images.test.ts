import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../io/safetensors.ts";
import { tensor } from "../../tensor/tensor.ts";
import { readCaptions } from "./caption-file.ts";
import { decodeImage, readImageFolder, squarePng } from "./image-files.ts";
import { ImageTable, readImageTable } from "./image-table.ts";

let root: string;
const at = (name: string) => join(root, name);
const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(at(name), content);
  return at(name);
};
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("captions are read", () => {
  it("from Flickr8k's token file", async () => {
    const path = file(
      "tokens.txt",
      "a.jpg#0\tA dog .\r\nb.jpg.1#0\tA cat .\na.jpg#1\tIt runs #1\tfast .\n\n",
    );
    expect(await readCaptions(path)).toEqual([
      { image: "a.jpg", captions: ["A dog .", "It runs #1\tfast ."] },
      { image: "b.jpg.1", captions: ["A cat ."] },
    ]);
  });

  it("from COCO's annotations", async () => {
    const images = [
      { id: 7, file_name: "a.jpg", height: 3 },
      { id: 9, file_name: "b.jpg" },
    ];
    const annotations = [
      { image_id: 9, caption: "A cat." },
      { image_id: 7, caption: "A dog." },
      { image_id: 9, caption: "Another cat." },
    ];
    expect(await readCaptions(file("coco.json", JSON.stringify({ images, annotations, info: {} })))).toEqual([
      { image: "b.jpg", captions: ["A cat.", "Another cat."] },
      { image: "a.jpg", captions: ["A dog."] },
    ]);
    const lost = { images, annotations: [{ image_id: 8, caption: "?" }] };
    await expect(readCaptions(file("lost.json", JSON.stringify(lost)))).rejects.toThrow(
      "lost.json: annotations.0: image_id 8 is no image's id",
    );
  });

  it("from Karpathy's JSON, with its splits", async () => {
    const sentence = (raw: string) => ({ raw, tokens: raw.split(" ") });
    const images = [
      { filename: "a.jpg", split: "restval", sentences: [sentence("a dog"), sentence("it runs")] },
      { filename: "b.jpg", split: "val", sentences: [sentence("a cat")] },
      { filename: "c.jpg", split: "test", sentences: [] },
    ];
    expect(
      await readCaptions(file("karpathy.json", `\ufeff ${JSON.stringify({ images })}`.slice(1))),
    ).toEqual([
      { image: "a.jpg", captions: ["a dog", "it runs"], split: "train" },
      { image: "b.jpg", captions: ["a cat"], split: "valid" },
    ]);
    const wrong = { images: [{ filename: "a.jpg", split: "dev", sentences: [] }] };
    await expect(readCaptions(file("wrong.json", JSON.stringify(wrong)))).rejects.toThrow(
      'wrong.json: images.0.split must be train, restval, val or test, got "dev"',
    );
  });

  it("or it is said what is wrong", async () => {
    await expect(readCaptions(file("bad.txt", "a.jpg#0\tA dog\nb.jpg A cat\n"))).rejects.toThrow(
      "bad.txt: line 2: must be name#number, a tab and a caption",
    );
    await expect(readCaptions(file("empty.txt", "\n"))).rejects.toThrow("empty.txt: has no captions");
    await expect(readCaptions(file("cut.json", '{"images": ['))).rejects.toThrow("cut.json is not JSON");
  });
});

describe("features", () => {
  const names = "a.jpg\nb.jpg\n";
  const write = (name: string, tensors: Record<string, ReturnType<typeof tensor>>) =>
    file(name, writeSafetensors(new Map(Object.entries(tensors))));

  it("are rows by the names of images; bytes are scaled", async () => {
    const pooled = write("pooled.safetensors", { pooled: tensor([1, 2, 3, 4, 5, 6], [2, 3]) });
    const grid = write("grid.safetensors", {
      grid: tensor(Int32Array.of(0, 10, 20, 30, 40, 50, 60, 255), [2, 2, 1, 2]),
      scale: tensor([0.5, 2], [2]),
      offset: tensor([1, -1], [2]),
    });
    const { table, rows } = await readImageTable([pooled, grid], file("images.txt", names));
    expect([...rows]).toEqual([
      ["a.jpg", 0],
      ["b.jpg", 1],
    ]);
    const batch = table.batch([1, 0]);
    expect([...batch.pooled!.toArray()]).toEqual([4, 5, 6, 1, 2, 3]);
    expect(batch.grid!.shape).toEqual([2, 2, 1, 2]);
    expect([...batch.grid!.toArray()]).toEqual([21, 26, 119, 509, 1, 6, 39, 59]);
    expect(batch.pixels).toBeUndefined();
  });

  it("of bytes are pixels from 0 to 1", async () => {
    const path = write("pixels.safetensors", { pixels: tensor(Int32Array.of(0, 51, 255), [1, 3, 1, 1]) });
    const { table } = await readImageTable([path], file("one.txt", "a.jpg"));
    expect([...table.batch([0]).pixels!.toArray()]).toEqual([0, 0.2, 1].map((n) => expect.closeTo(n, 6)));
    expect(new ImageTable({}).length).toBe(0);
  });

  it("that do not fit are refused", async () => {
    const list = file("two.txt", names);
    const refuse = (tensors: Record<string, ReturnType<typeof tensor>>, message: string) =>
      expect(readImageTable([write("bad.safetensors", tensors)], list)).rejects.toThrow(message);
    await refuse({ x: tensor([1, 2], [2, 1]) }, "must hold pixels, pooled, grid or several of these, got x");
    await refuse({ pooled: tensor([1, 2], [2]) }, "pooled must be [N, D], got [2]");
    await refuse({ pooled: tensor([1], [1, 1]) }, "pooled must have a row for each of 2 names, got 1");
    await refuse({ pixels: tensor([1, 2], [2, 1, 1, 1]) }, "pixels must be [N, 3, H, W], got [2, 1, 1, 1]");
    const grid = tensor(Int32Array.of(1, 2), [2, 1, 1, 1]);
    await refuse({ grid }, "grid is of bytes, and needs a scale of 1 real numbers");
    await refuse(
      { grid: tensor(Int32Array.of(1, 300), [2, 1, 1, 1]) },
      "grid must be real numbers, or bytes",
    );
    const twice = file("twice.txt", "a.jpg\na.jpg\n");
    await expect(readImageTable([at("bad.safetensors")], twice)).rejects.toThrow(
      "twice.txt: has a name twice",
    );
  });
});

describe("image files", () => {
  const blank = (width: number, height: number, background: string) =>
    sharp({ create: { width, height, channels: 4, background } });
  /** Of each plane, its corners: top left, top right, bottom left, bottom right. */
  const corners = (planes: Uint8Array, size: number) =>
    [0, 1, 2].map((c) =>
      [0, size - 1, size * (size - 1), size * size - 1].map((i) => planes[c * size * size + i]!),
    );

  it("become planes, squashed to a square", async () => {
    const left = await blank(10, 20, "#ff0000").png().toBuffer();
    const image = await blank(20, 20, "#0000ff")
      .composite([{ input: left, left: 0, top: 0 }])
      .png()
      .toBuffer();
    expect(corners(await decodeImage(file("a.png", image), 8), 8)).toEqual([
      [255, 0, 255, 0],
      [0, 0, 0, 0],
      [0, 255, 0, 255],
    ]);
  });

  it("are turned as their EXIF data say", async () => {
    const pixels = new Uint8Array(32 * 16).map((_, i) => (i % 32 < 16 ? 255 : 0)); // white on the left
    const raw = { raw: { width: 32, height: 16, channels: 1 as const } };
    const turned = await sharp(pixels, raw)
      .jpeg({ quality: 100 })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const [red] = corners(await decodeImage(turned, 8), 8) as [number[]];
    // A quarter to the right: what was on the left is at the top.
    expect(red.map((value) => value > 128)).toEqual([true, true, false, false]);
  });

  it("of grey, with alpha, and of 16 bits are R, G and B on white", async () => {
    const grey = await sharp(new Uint8Array(16).fill(100), { raw: { width: 4, height: 4, channels: 1 } })
      .png()
      .toBuffer();
    expect(new Set(await decodeImage(grey, 4))).toEqual(new Set([100]));
    const clear = await blank(4, 4, "#00000000").png().toBuffer();
    expect(new Set(await decodeImage(clear, 4))).toEqual(new Set([255]));
    const deep = await blank(4, 4, "#ff8000").removeAlpha().toColourspace("rgb16").png().toBuffer();
    expect(corners(await decodeImage(deep, 4), 4).map(([value]) => value)).toEqual([255, 128, 0]);
  });

  it("are shown as a square PNG", async () => {
    const png = await squarePng(file("b.png", await blank(9, 3, "#00ff00").png().toBuffer()), 6);
    expect(await sharp(png).metadata()).toMatchObject({ format: "png", width: 6, height: 6 });
  });

  it("that are damaged, or larger than is read, are refused by their names, and the rest goes on", async () => {
    const noise = new Uint8Array(64 * 64 * 3).map((_, i) => (i * i * 31) % 256);
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();
    file("whole.jpg", jpeg);
    file("cut.jpg", jpeg.subarray(0, jpeg.length / 2));
    file("text.jpg", "this is no image");
    // The header of a PNG of 30,000 × 30,000 pixels, and none of them.
    const header = await blank(1, 1, "#000000").png().toBuffer();
    header.writeUInt32BE(30_000, 16);
    header.writeUInt32BE(30_000, 20);
    const { crc32 } = await import("node:zlib");
    header.writeUInt32BE(crc32(header.subarray(12, 29)), 29);
    file("giant.png", header);
    const names = ["cut.jpg", "whole.jpg", "text.jpg", "giant.png", "missing.jpg"];
    const seen: number[] = [];
    const { table, rows, notes } = await readImageFolder(root, names, 8, (count) => seen.push(count));
    expect([...rows]).toEqual([["whole.jpg", 0]]);
    expect(table.length).toBe(1);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(notes).toEqual([
      expect.stringContaining("cut.jpg: is no image that can be read: "),
      expect.stringContaining(
        "text.jpg: is no image that can be read: Input buffer contains unsupported image format",
      ),
      expect.stringContaining("giant.png: is too large: 30000 × 30000 pixels, at most 67,108,864 are read"),
      expect.stringContaining("missing.jpg: cannot be read: there is no such file or folder"),
    ]);
    await expect(readImageFolder(root, ["text.jpg"], 8)).rejects.toThrow("none of 1 images can be read: ");
  });
});
