import { FormatError } from "../errors.ts";
import type { Values } from "../tensor/dtype.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type Json, parseJson } from "./json.ts";

/**
 * The safetensors format: eight bytes with the header's length, the header (JSON: name → dtype, shape, data_offsets),
 * then the tensors' bytes, little-endian, without a gap. Nothing in a file is trusted: whatever does not add up is a
 * FormatError that says which tensor and what is wrong, before any memory is taken for it.
 */
export interface Safetensors {
  /** By name, in the order of the data. */
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

const MAX_HEADER = 100_000_000; // the limit of the format's own implementation
const MAX_RANK = 8;
const FORBIDDEN_NAMES: readonly string[] = ["__proto__", "constructor", "prototype"];

interface StoredType {
  bytes: number;
  create(length: number): Values;
  read(view: DataView, at: number): number;
}

const f64 = (length: number) => new Float64Array(length);
const f32 = (length: number) => new Float32Array(length);
const i32 = (length: number) => new Int32Array(length);

/** What each dtype of the format is read as: real numbers to float32, whole numbers to int32. */
const storedTypes: ReadonlyMap<string, StoredType> = new Map<string, StoredType>([
  ["F64", { bytes: 8, create: f64, read: (view, at) => view.getFloat64(at, true) }],
  ["F32", { bytes: 4, create: f32, read: (view, at) => view.getFloat32(at, true) }],
  ["F16", { bytes: 2, create: f32, read: (view, at) => halfToNumber(view.getUint16(at, true)) }],
  ["BF16", { bytes: 2, create: f32, read: (view, at) => bfloatToNumber(view.getUint16(at, true)) }],
  ["I64", { bytes: 8, create: i32, read: (view, at) => Number(view.getBigInt64(at, true)) }],
  ["I32", { bytes: 4, create: i32, read: (view, at) => view.getInt32(at, true) }],
  ["I16", { bytes: 2, create: i32, read: (view, at) => view.getInt16(at, true) }],
  ["I8", { bytes: 1, create: i32, read: (view, at) => view.getInt8(at) }],
  ["U8", { bytes: 1, create: i32, read: (view, at) => view.getUint8(at) }],
  ["BOOL", { bytes: 1, create: i32, read: (view, at) => view.getUint8(at) }],
]);

/** IEEE 754 half: 1 sign, 5 exponent, 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of a float32. */
function bfloatToNumber(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

interface Entry {
  name: string;
  label: string;
  type: StoredType;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

/** The tensors and the metadata of a safetensors file. `where` begins the error messages: the file's name. */
export function readSafetensors(bytes: Uint8Array, where = "safetensors"): Safetensors {
  const { header, dataStart } = readHeader(bytes, where);
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of header) {
    if (name === "__metadata__") metadata = readMetadata(value, where);
    else entries.push(readEntry(name, value, where));
  }
  checkCoverage(entries, bytes.length - dataStart, where);
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataStart, bytes.length - dataStart);
  return { tensors: new Map(entries.map((entry) => [entry.name, decode(entry, view)])), metadata };
}

function readHeader(bytes: Uint8Array, where: string): { header: Map<string, Json>; dataStart: number } {
  if (bytes.length < 8) {
    throw new FormatError(
      `${where}: must begin with 8 bytes of header length, got ${bytes.length} bytes in all`,
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length < 2n || length > BigInt(Math.min(bytes.length - 8, MAX_HEADER))) {
    throw new FormatError(`${where}: a header of ${length} bytes does not fit a file of ${bytes.length}`, {
      hint: "the file is truncated or no safetensors file",
    });
  }
  const dataStart = 8 + Number(length);
  let text: string;
  try {
    // A copy, because TextDecoder refuses shared memory in pages.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice(8, dataStart));
  } catch (cause) {
    throw new FormatError(`${where}: header is not UTF-8`, { cause });
  }
  const header = text[0] === "{" ? parseJson(text, `${where}: header`, 4) : undefined;
  if (!(header instanceof Map)) throw new FormatError(`${where}: header must be a JSON object`);
  for (const name of header.keys()) refuseName(name, where);
  return { header, dataStart };
}

function refuseName(name: string, where: string): void {
  if (FORBIDDEN_NAMES.includes(name)) throw new FormatError(`${where}: the name ${name} is not allowed`);
}

function readMetadata(value: Json, where: string): Record<string, string> {
  const metadata: Record<string, string> = {};
  if (!(value instanceof Map)) throw new FormatError(`${where}: __metadata__ must be an object`);
  for (const [key, text] of value) {
    refuseName(key, where);
    if (typeof text !== "string") {
      throw new FormatError(`${where}: __metadata__ ${JSON.stringify(key)} must be a string`);
    }
    metadata[key] = text;
  }
  return metadata;
}

const isSize = (n: Json | undefined): n is number => Number.isSafeInteger(n) && (n as number) >= 0;

function readEntry(name: string, value: Json, where: string): Entry {
  const label = `${where}: tensor ${JSON.stringify(name)}`;
  if (!(value instanceof Map)) throw new FormatError(`${label}: must be an object`);
  for (const key of value.keys()) {
    if (key !== "dtype" && key !== "shape" && key !== "data_offsets") {
      throw new FormatError(
        `${label}: must have dtype, shape and data_offsets alone, got ${JSON.stringify(key)}`,
      );
    }
  }
  const dtype = value.get("dtype");
  const type = typeof dtype === "string" ? storedTypes.get(dtype) : undefined;
  if (!type) {
    const known = [...storedTypes.keys()].join(", ");
    throw new FormatError(`${label}: dtype must be one of ${known}, got ${JSON.stringify(dtype)}`);
  }
  const shape = value.get("shape");
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isSize)) {
    throw new FormatError(`${label}: shape must be at most ${MAX_RANK} whole numbers from 0 up`);
  }
  const offsets = value.get("data_offsets");
  const [begin, end] = Array.isArray(offsets) ? offsets : [];
  if (!Array.isArray(offsets) || offsets.length !== 2 || !isSize(begin) || !isSize(end) || end < begin) {
    throw new FormatError(`${label}: data_offsets must be two whole numbers, begin ≤ end`);
  }
  let size = type.bytes;
  for (const n of shape) {
    size *= n;
    if (!Number.isSafeInteger(size))
      throw new FormatError(`${label}: shape [${shape.join(", ")}] is too large`);
  }
  if (size !== end - begin) {
    throw new FormatError(
      `${label}: ${dtype} [${shape.join(", ")}] takes ${size} bytes, data_offsets give it ${end - begin}`,
    );
  }
  return { name, label, type, dtype: dtype as string, shape, begin, end };
}

/** Puts the entries in the order of their data, which must cover the rest of the file once. */
function checkCoverage(entries: Entry[], available: number, where: string): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { label, begin, end } of entries) {
    if (begin !== at) {
      throw new FormatError(
        `${label}: data must begin at ${at}, where the one before ends, got ${begin} (${begin < at ? "an overlap" : "a gap"})`,
      );
    }
    if (end > available) {
      throw new FormatError(`${label}: data ends at ${end}, but the file has ${available} bytes of data`, {
        hint: "the file is truncated",
      });
    }
    at = end;
  }
  if (at !== available) {
    throw new FormatError(`${where}: tensors take ${at} bytes, but the file has ${available} bytes of data`);
  }
}

function decode({ label, type, dtype, shape, begin, end }: Entry, view: DataView): Tensor {
  const values = type.create((end - begin) / type.bytes);
  for (let i = 0, at = begin; at < end; i++, at += type.bytes) {
    const value = type.read(view, at);
    values[i] = value;
    if (dtype === "I64" && values[i] !== value) {
      throw new FormatError(`${label}: element ${i} must fit int32, got ${value}`);
    }
  }
  return tensor(values, shape);
}

/**
 * A safetensors file of these tensors: float32 as F32, int32 as I32. The same tensors and metadata give the same bytes,
 * in whatever order they come: names are sorted, and the header is padded with spaces so that the data begins at a
 * multiple of eight.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries: [string, unknown][] = [];
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) {
    entries.push(["__metadata__", Object.fromEntries(keys.map((key) => [key, metadata[key]]))]);
  }
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let offset = 0;
  for (const [name, { dtype, shape, size }] of sorted) {
    if (name === "__metadata__") throw new FormatError("safetensors: no tensor may be named __metadata__");
    refuseName(name, "safetensors");
    const data_offsets = [offset, offset + 4 * size];
    entries.push([name, { dtype: dtype === "int32" ? "I32" : "F32", shape, data_offsets }]);
    offset += 4 * size;
  }
  const json = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset).fill(0x20, 8 + text.length, 8 + headerLength);
  bytes.set(text, 8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerLength), true);
  let at = 8 + headerLength;
  for (const [, t] of sorted) {
    const integral = t.dtype === "int32";
    for (const value of t.toArray()) {
      if (integral) view.setInt32(at, value, true);
      else view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return bytes;
}
