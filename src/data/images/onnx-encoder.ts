import { threads } from "../../engine/engine.ts";
import { DataError, FileError, FormatError, OptionError } from "../../errors.ts";
import { sha256 } from "../../io/digest.ts";
import { joinPath, listFolder, readFile, writeFile } from "../../io/files.ts";
import { formatJson, plainJson } from "../../io/json-file.ts";
import { readSafetensors, writeSafetensors } from "../../io/safetensors.ts";
import { tensor } from "../../tensor/tensor.ts";
import { decodeImage } from "./image-files.ts";
import { type ImageRows, ImageTable } from "./image-table.ts";

/** What is used of onnxruntime-node. */
export interface OnnxRuntime {
  Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OnnxTensor;
  InferenceSession: {
    create(model: Uint8Array, options: { intraOpNumThreads: number }): Promise<OnnxSession>;
  };
}

interface OnnxTensor {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata?: readonly { type?: string; shape?: readonly (number | string)[] }[];
  run(feeds: Record<string, OnnxTensor>, fetches: readonly string[]): Promise<Record<string, OnnxTensor>>;
}

/** What an encoder gives of an image. */
export type Features = Partial<Record<"pooled" | "grid", ImageRows>>;

const MAX_ENCODER = 2 ** 31;
/** Images that are encoded at a time. */
const BATCH = 16;
const kinds = ["pooled", "grid"] as const;

/** A CNN in the ONNX format that makes features of images: it takes pixels from 0 to 1 and gives `pooled`, `grid` or both. */
export class OnnxEncoder {
  readonly #session: OnnxSession;
  readonly #runtime: OnnxRuntime;
  readonly #path: string;
  /** Height and width that it takes. */
  readonly size: number;
  /** Tells it from others. */
  readonly digest: string;

  private constructor(
    runtime: OnnxRuntime,
    session: OnnxSession,
    path: string,
    size: number,
    digest: string,
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#path = path;
    this.size = size;
    this.digest = digest;
  }

  static async load(path: string, runtime?: OnnxRuntime): Promise<OnnxEncoder> {
    const bytes = await readFile(path, MAX_ENCODER);
    const onnx = runtime ?? (await onnxRuntime());
    let session: OnnxSession;
    try {
      session = await onnx.InferenceSession.create(bytes, { intraOpNumThreads: threads() });
    } catch (cause) {
      throw new FormatError(`${path}: is no ONNX model that can be run: ${(cause as Error).message}`, {
        cause,
      });
    }
    const { inputNames, outputNames, inputMetadata } = session;
    const shape = inputMetadata?.[0]?.shape;
    const described = inputNames.map(
      (name, i) => `${name} [${inputMetadata?.[i]?.shape?.join(", ") ?? "?"}]`,
    );
    const [, channels, height, width] = shape ?? [];
    if (inputNames.length !== 1 || channels !== 3 || typeof height !== "number" || height !== width) {
      throw new FormatError(
        `${path}: must take one input [N, 3, S, S] of pixels, got ${described.join(", ")}`,
      );
    }
    if (!outputNames.some((name) => (kinds as readonly string[]).includes(name))) {
      throw new FormatError(`${path}: must give pooled, grid or both, got ${outputNames.join(", ")}`);
    }
    return new OnnxEncoder(onnx, session, path, height, sha256([bytes]));
  }

  /** Images as planes of R, G and B, one after the other → a row of features each. */
  async encode(planes: Uint8Array): Promise<Features> {
    const N = planes.length / (3 * this.size ** 2);
    const values = Float32Array.from(planes, (byte) => byte / 255);
    const input = new this.#runtime.Tensor("float32", values, [N, 3, this.size, this.size]);
    const wanted = kinds.filter((kind) => this.#session.outputNames.includes(kind));
    const found = await this.#session.run({ [this.#session.inputNames[0]!]: input }, wanted);
    const features: Features = {};
    for (const kind of wanted) {
      const { dims, data } = found[kind]!;
      const rank = kind === "pooled" ? 2 : 4;
      if (dims.length !== rank || dims[0] !== N) {
        const expected = kind === "pooled" ? `[${N}, D]` : `[${N}, C, H, W]`;
        throw new FormatError(`${this.#path}: ${kind} must be ${expected}, got [${dims.join(", ")}]`);
      }
      features[kind] = { shape: dims.slice(1), values: Float32Array.from(data) };
    }
    return features;
  }
}

async function onnxRuntime(): Promise<OnnxRuntime> {
  // A name that a bundler does not look into: a page has no use for it.
  const name = "onnxruntime-node";
  try {
    const module = (await import(/* @vite-ignore */ name)) as OnnxRuntime & { default?: OnnxRuntime };
    return module.default ?? module;
  } catch (cause) {
    throw new OptionError(
      "encoder: ONNX models are run by the package onnxruntime-node, which is not installed",
      {
        hint: "npm install onnxruntime-node",
        cause,
      },
    );
  }
}

const loaded = new Map<string, Promise<OnnxEncoder>>();

/** The encoder in a file, which is read once. */
export function encoderOf(path: string): Promise<OnnxEncoder> {
  const before = loaded.get(path);
  if (before) return before;
  const encoder = OnnxEncoder.load(path);
  loaded.set(path, encoder);
  encoder.catch(() => loaded.delete(path));
  return encoder;
}

interface Encoded {
  table: ImageTable;
  rows: Map<string, number>;
  notes: string[];
}

/**
 * The features of the images of a folder. One that cannot be read is noted by its name, and the rest goes on. Where a cache
 * is named they are kept there, and found again by the encoder and the content of the images.
 */
export async function encodeFolder(
  folder: string,
  names: readonly string[],
  encoder: OnnxEncoder,
  {
    cache,
    onImage,
  }: { cache?: string | undefined; onImage?: ((images: number, of: number) => void) | undefined },
): Promise<Encoded> {
  const kept = cache === undefined ? undefined : await place(cache, folder, names, encoder);
  if (kept?.there) return readKept(kept.file);
  const collected = kinds.map((): Float32Array[] => []);
  const shapes: (readonly number[])[] = [];
  const rows = new Map<string, number>();
  const notes: string[] = [];
  const planes: Uint8Array[] = [];
  const flush = async () => {
    if (planes.length === 0) return;
    const features = await encoder.encode(joined(planes, Uint8Array));
    for (const [i, kind] of kinds.entries()) {
      const part = features[kind];
      if (!part) continue;
      shapes[i] = part.shape;
      collected[i]!.push(part.values as Float32Array);
    }
    planes.length = 0;
  };
  for (const [i, name] of names.entries()) {
    try {
      planes.push(await decodeImage(joinPath(folder, name), encoder.size));
      rows.set(name, rows.size);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof FileError)) throw error;
      notes.push(error.message);
    }
    if (planes.length === BATCH || i === names.length - 1) await flush();
    onImage?.(i + 1, names.length);
  }
  if (rows.size === 0)
    throw new DataError(`${folder}: none of ${names.length} images can be read: ${notes[0]}`);
  const parts: Features = {};
  for (const [i, kind] of kinds.entries()) {
    if (shapes[i]) parts[kind] = { shape: shapes[i], values: joined(collected[i]!, Float32Array) };
  }
  const encoded = { table: new ImageTable(parts), rows, notes };
  if (kept) await keep(kept.file, encoded);
  return encoded;
}

function joined<T extends Uint8Array | Float32Array>(
  parts: readonly T[],
  type: new (length: number) => T,
): T {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Where these features are kept: a name of what they are made of. */
async function place(cache: string, folder: string, names: readonly string[], { digest }: OnnxEncoder) {
  const parts: (Uint8Array | string)[] = [digest];
  for (const name of names) {
    const bytes = await readFile(joinPath(folder, name), 2 ** 28).catch(() => new Uint8Array());
    parts.push(`\0${name}\0${sha256([bytes])}`);
  }
  const file = `${sha256(parts)}.safetensors`;
  return { file: joinPath(cache, file), there: (await listFolder(cache)).includes(file) };
}

const namesOf = (file: string) => file.replace(/\.safetensors$/, ".json");

async function keep(file: string, { table, rows, notes }: Encoded): Promise<void> {
  const tensors = Object.entries(table.parts).map(
    ([kind, { shape, values }]) => [kind, tensor(values as Float32Array, [rows.size, ...shape])] as const,
  );
  await writeFile(namesOf(file), formatJson({ names: [...rows.keys()], notes }));
  await writeFile(file, writeSafetensors(new Map(tensors)));
}

async function readKept(file: string): Promise<Encoded> {
  const json = plainJson(await readFile(namesOf(file), 2 ** 28), namesOf(file));
  const { names, notes } = json as { names: string[]; notes: string[] };
  const { tensors } = readSafetensors(await readFile(file, 2 ** 32), file);
  const parts: Features = {};
  for (const kind of kinds) {
    const found = tensors.get(kind);
    if (found) parts[kind] = { shape: found.shape.slice(1), values: found.toArray() as Float32Array };
  }
  return { table: new ImageTable(parts), rows: new Map(names.map((name, row) => [name, row])), notes };
}
