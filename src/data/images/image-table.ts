import { DataError, FormatError } from "../../errors.ts";
import { readFile } from "../../io/files.ts";
import { readSafetensors } from "../../io/safetensors.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";

/** What is known of an image: pixels, or what a network that was trained elsewhere makes of them. */
export const imageParts = ["pixels", "pooled", "grid"] as const;
export type ImagePart = (typeof imageParts)[number];

/** Images side by side: pixels [N, 3, H, W] from 0 to 1, a vector each [N, D], or one for each cell of a grid [N, C, H, W]. */
export type ImageBatch = Partial<Record<ImagePart, Tensor>>;

/** One part of all images, a row each. Of bytes, a channel's numbers are scale·byte + offset. */
export interface ImageRows {
  /** Of a row. */
  shape: readonly number[];
  values: Float32Array | Uint8Array;
  scale?: Float32Array;
  offset?: Float32Array;
}

/** The axes of a row. */
const ranks = { pixels: 3, pooled: 1, grid: 3 };
const MAX_FEATURES = 2 ** 32;

/** The parts of many images, in rows. */
export class ImageTable {
  readonly parts: Readonly<Partial<Record<ImagePart, ImageRows>>>;
  readonly length: number;

  constructor(parts: Partial<Record<ImagePart, ImageRows>>) {
    this.parts = parts;
    const [first] = Object.values(parts);
    this.length = first ? first.values.length / sizeOf(first.shape) : 0;
  }

  /** The chosen rows of each part. */
  batch(rows: ArrayLike<number>): ImageBatch {
    const batch: ImageBatch = {};
    for (const [name, part] of Object.entries(this.parts) as [ImagePart, ImageRows][]) {
      const size = sizeOf(part.shape);
      const values = new Float32Array(rows.length * size);
      for (let n = 0; n < rows.length; n++) {
        copyRow(part, rows[n]! * size, values.subarray(n * size, (n + 1) * size));
      }
      batch[name] = tensor(values, [rows.length, ...part.shape]);
    }
    return batch;
  }
}

function copyRow({ shape, values, scale, offset }: ImageRows, from: number, to: Float32Array): void {
  const row = values.subarray(from, from + to.length);
  if (!scale || !offset) {
    to.set(row);
    return;
  }
  const plane = to.length / shape[0]!;
  for (let i = 0; i < to.length; i++) {
    const channel = Math.floor(i / plane);
    to[i] = row[i]! * scale[channel]! + offset[channel]!;
  }
}

/** Bytes 0 … 255 as numbers 0 … 1. */
export const asPixels = (shape: readonly number[], values: Uint8Array): ImageRows => ({
  shape,
  values,
  scale: new Float32Array(shape[0]!).fill(1 / 255),
  offset: new Float32Array(shape[0]!),
});

/**
 * Reads safetensors files that hold `pooled` [N, D], `grid` [N, C, H, W] or, of bytes, `pixels` [N, 3, H, W], and the names
 * of the images, one a line. A grid of bytes has `scale` [C] and `offset` [C] beside it.
 */
export async function readImageTable(
  files: readonly string[],
  namesFile: string,
): Promise<{ table: ImageTable; rows: Map<string, number> }> {
  const names = new TextDecoder().decode(await readFile(namesFile, 2 ** 28)).split(/\r?\n/);
  while (names.at(-1) === "") names.pop();
  const rows = new Map(names.map((name, row) => [name, row]));
  if (rows.size < names.length) throw new DataError(`${namesFile}: has a name twice`);
  const parts: Partial<Record<ImagePart, ImageRows>> = {};
  for (const file of files) {
    const { tensors } = readSafetensors(await readFile(file, MAX_FEATURES), file);
    const found = imageParts.filter((name) => tensors.has(name));
    if (found.length === 0) {
      throw new FormatError(
        `${file}: must hold ${imageParts.join(", ")} or several of these, got ${[...tensors.keys()].join(", ")}`,
      );
    }
    for (const name of found) parts[name] = readPart(name, tensors, file, names.length);
  }
  if (parts.pixels && (parts.pooled || parts.grid)) {
    throw new DataError(`${files.join(", ")}: must hold pixels or features of the images, got both`);
  }
  return { table: new ImageTable(parts), rows };
}

function readPart(
  name: ImagePart,
  tensors: ReadonlyMap<string, Tensor>,
  file: string,
  count: number,
): ImageRows {
  const found = tensors.get(name)!;
  const [rows, ...shape] = found.shape;
  if (
    found.shape.length !== ranks[name] + 1 ||
    sizeOf(shape) === 0 ||
    (name === "pixels" && shape[0] !== 3)
  ) {
    const expected = { pixels: "[N, 3, H, W]", pooled: "[N, D]", grid: "[N, C, H, W]" }[name];
    throw new FormatError(`${file}: ${name} must be ${expected}, got ${formatShape(found.shape)}`);
  }
  if (rows !== count) {
    throw new FormatError(`${file}: ${name} must have a row for each of ${count} names, got ${rows}`);
  }
  const values = found.toArray();
  if (found.dtype !== "int32") return { shape, values: values as Float32Array };
  if (values.some((byte) => byte < 0 || byte > 255)) {
    throw new FormatError(`${file}: ${name} must be real numbers, or bytes from 0 to 255`);
  }
  if (name === "pixels") return asPixels(shape, Uint8Array.from(values));
  const channel = (what: string) => {
    const t = tensors.get(what);
    if (t?.dtype === "float32" && t.size === shape[0]) return t.toArray() as Float32Array;
    throw new FormatError(`${file}: ${name} is of bytes, and needs a ${what} of ${shape[0]} real numbers`);
  };
  return { shape, values: Uint8Array.from(values), scale: channel("scale"), offset: channel("offset") };
}
