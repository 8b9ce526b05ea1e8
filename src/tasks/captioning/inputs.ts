import { asPixels, type ImagePart, type ImageRows, ImageTable } from "../../data/images/image-table.ts";
import type { Features } from "../../data/images/onnx-encoder.ts";
import { DataError, OptionError } from "../../errors.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import type { ImageConfig } from "./config.ts";

/** Pixels of an image, R, G, B for each, row by row. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
}

/**
 * An image: the path of a file or its bytes (which needs the package sharp), pixels, or what the network was trained on,
 * its features.
 */
export type ImageInput = string | Uint8Array | Picture | GivenFeatures;

type FeatureConfig = Extract<ImageConfig, { kind: "features" }>;

interface GivenFeatures {
  pooled?: Float32Array;
  grid?: Float32Array;
}

/** Refuses images of another kind than the network sees. */
export function checkTable(where: string, { parts }: ImageTable, image: ImageConfig): void {
  const needed =
    image.kind === "pixels"
      ? { pixels: [3, image.size, image.size] }
      : { ...(image.pooled && { pooled: [image.pooled] }), ...(image.grid && { grid: image.grid }) };
  for (const [name, shape] of Object.entries<readonly number[]>(needed)) {
    const own = parts[name as ImagePart]?.shape;
    if (own?.join() === shape.join()) continue;
    throw new OptionError(
      `${where}: the model sees ${name} ${formatShape(shape)}, got ${own ? formatShape(own) : "none"}`,
    );
  }
}

/** Images as a network of this kind sees them, in rows. `encoder` makes features of files. */
export async function tableOf(
  where: string,
  images: readonly ImageInput[],
  config: ImageConfig,
  encoder?: string,
): Promise<ImageTable> {
  if (config.kind === "features") return featureTable(await encoded(where, images, config, encoder), config);
  const { size } = config;
  const shape = [3, size, size];
  const values = new Uint8Array(images.length * sizeOf(shape));
  for (const [n, image] of images.entries()) {
    const row = values.subarray(n * sizeOf(shape), (n + 1) * sizeOf(shape));
    row.set(
      typeof image === "string" || image instanceof Uint8Array
        ? await decode(image, size)
        : planes(where, image, size),
    );
  }
  return new ImageTable({ pixels: asPixels(shape, values) });
}

async function decode(image: string | Uint8Array, size: number): Promise<Uint8Array> {
  const { decodeImage } = await import("../../data/images/image-files.ts");
  return decodeImage(image, size);
}

/** R, G and B in a plane each. */
function planes(where: string, image: Exclude<ImageInput, string | Uint8Array>, size: number): Uint8Array {
  if (!("data" in image)) {
    throw new OptionError(`${where}: the model sees pixels, and features are given`);
  }
  const { width, height, data } = image;
  if (width !== size || height !== size || data.length !== 3 * size * size) {
    throw new DataError(
      `image: must be ${size} × ${size} pixels of R, G and B, got ${width} × ${height} and ${data.length} bytes`,
    );
  }
  const out = new Uint8Array(data.length);
  const area = size * size;
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) out[c * area + i] = data[3 * i + c]!;
  }
  return out;
}

/** Files as the features that an encoder makes of them. */
async function encoded(
  where: string,
  images: readonly ImageInput[],
  config: FeatureConfig,
  encoder: string | undefined,
): Promise<GivenFeatures[]> {
  const found: GivenFeatures[] = [];
  for (const image of images) {
    if (typeof image !== "string" && !(image instanceof Uint8Array)) {
      found.push("data" in image ? {} : image);
      continue;
    }
    if (encoder === undefined) {
      throw new OptionError(
        `${where}: the model sees features, and needs the encoder that makes them of a file`,
      );
    }
    const { encoderOf } = await import("../../data/images/onnx-encoder.ts");
    const onnx = await encoderOf(encoder);
    const features = await onnx.encode(await decode(image, onnx.size));
    checkEncoder(encoder, features, config);
    const { pooled, grid } = features;
    found.push({
      ...(pooled && { pooled: pooled.values as Float32Array }),
      ...(grid && { grid: grid.values as Float32Array }),
    });
  }
  return found;
}

/** Refuses an encoder that makes other features than the network sees. */
export function checkEncoder(encoder: string, { pooled, grid }: Features, config: FeatureConfig): void {
  const shapes = { pooled: pooled?.shape, grid: grid?.shape };
  const needed = { pooled: config.pooled && [config.pooled], grid: config.grid };
  const list = (of: Record<string, readonly number[] | 0 | undefined>) =>
    Object.entries(of).flatMap(([name, shape]) => (shape ? [`${name} ${formatShape(shape)}`] : []));
  if (list(needed).every((one) => list(shapes).includes(one))) return;
  throw new OptionError(
    `${encoder}: must give ${list(needed).join(" and ")}, which the model sees, got ${list(shapes).join(" and ")}`,
  );
}

function featureTable(images: readonly GivenFeatures[], { pooled, grid }: FeatureConfig): ImageTable {
  const parts: Partial<Record<ImagePart, ImageRows>> = {};
  for (const [name, shape] of Object.entries({ pooled: pooled && [pooled], grid }) as [
    "pooled" | "grid",
    number[]?,
  ][]) {
    if (!shape) continue;
    const size = sizeOf(shape);
    const values = new Float32Array(images.length * size);
    for (const [n, image] of images.entries()) {
      const own = image[name];
      if (own?.length !== size) {
        throw new DataError(
          `image: ${name} must be ${formatShape(shape)} features, got ${own ? `${own.length} numbers` : "none"}`,
        );
      }
      values.set(own, n * size);
    }
    parts[name] = { shape, values };
  }
  return new ImageTable(parts);
}
