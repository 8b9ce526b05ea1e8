import type { default as Sharp, Sharp as SharpImage } from "sharp";
import { DataError, FileError, FormatError, OptionError, UnrolledError } from "../../errors.ts";
import { joinPath, readFile } from "../../io/files.ts";
import { asPixels, ImageTable } from "./image-table.ts";

/** Bytes of a file, and pixels by its header, that are read at most: nobody vouches for either. */
const MAX_BYTES = 2 ** 28;
const MAX_PIXELS = 2 ** 26;

let library: Promise<typeof Sharp> | undefined;

/** The package that knows the formats of images; it is asked for when an image is. */
function sharp(): Promise<typeof Sharp> {
  // A name that a bundler does not look into: a page has no use for it.
  const name = "sharp";
  library ??= import(/* @vite-ignore */ name).then(
    (module: { default: typeof Sharp }) => module.default,
    (cause) => {
      library = undefined;
      throw new OptionError("images: files are read by the package sharp, which is not installed", {
        hint: "npm install sharp",
        cause,
      });
    },
  );
  return library;
}

/**
 * An image as planes of R, G and B, `size` × `size` bytes each: turned as its EXIF data say, on white where it is
 * transparent, and squashed to the square without cropping.
 */
export async function decodeImage(image: string | Uint8Array, size: number): Promise<Uint8Array> {
  return planesOf(await read(image, size, (square) => square.raw().toBuffer()), size * size);
}

/** The same as a PNG file, to be shown. */
export function squarePng(image: string, size: number): Promise<Uint8Array> {
  return read(image, size, (square) => square.png().toBuffer());
}

async function read(
  image: string | Uint8Array,
  size: number,
  write: (square: SharpImage) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const where = typeof image === "string" ? image : "image";
  const bytes = typeof image === "string" ? await readFile(image, MAX_BYTES) : image;
  const decoder = (await sharp())(bytes, { limitInputPixels: false, failOn: "warning" });
  try {
    const { width, height } = await decoder.metadata();
    if (!(width * height <= MAX_PIXELS)) {
      throw new FormatError(
        `${where}: is too large: ${width} × ${height} pixels, at most ${MAX_PIXELS.toLocaleString("en-US")} are read`,
      );
    }
    const square = decoder
      .autoOrient()
      .flatten({ background: "white" })
      .toColourspace("srgb")
      .resize(size, size, { fit: "fill" });
    return await write(square);
  } catch (cause) {
    if (cause instanceof UnrolledError) throw cause;
    throw new FormatError(
      `${where}: is no image that can be read: ${(cause as Error).message.split("\n")[0]}`,
      {
        cause,
      },
    );
  }
}

/** Pixels of R, G and B, or of grey alone, as planes. */
function planesOf(pixels: Uint8Array, area: number): Uint8Array {
  const channels = pixels.length / area;
  const planes = new Uint8Array(3 * area);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) planes[c * area + i] = pixels[i * channels + (channels < 3 ? 0 : c)]!;
  }
  return planes;
}

/** The images of a folder, in rows. One that cannot be read is noted by its name, and the rest goes on. */
export async function readImageFolder(
  folder: string,
  names: readonly string[],
  size: number,
  onImage?: (images: number, of: number) => void,
): Promise<{ table: ImageTable; rows: Map<string, number>; notes: string[] }> {
  await sharp();
  const values = new Uint8Array(names.length * 3 * size * size);
  const rows = new Map<string, number>();
  const notes: string[] = [];
  for (const [i, name] of names.entries()) {
    try {
      values.set(await decodeImage(joinPath(folder, name), size), rows.size * 3 * size * size);
      rows.set(name, rows.size);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof FileError)) throw error;
      notes.push(error.message);
    }
    onImage?.(i + 1, names.length);
  }
  if (rows.size === 0)
    throw new DataError(`${folder}: none of ${names.length} images can be read: ${notes[0]}`);
  const used = values.slice(0, rows.size * 3 * size * size);
  return { table: new ImageTable({ pixels: asPixels([3, size, size], used) }), rows, notes };
}
