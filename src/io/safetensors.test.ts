import { describe, expect, it } from "vitest";
import { FormatError } from "../errors.ts";
import { Generator } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

/** A file with this header (JSON or text) and these data bytes. */
function file(header: unknown, data: ArrayLike<number> = []): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const bytesOf = (values: { buffer: ArrayBufferLike }) => new Uint8Array(values.buffer);

const example = new Map([
  ["output.weight", tensor([1.5, -2, 3e-8, Number.NaN, Number.POSITIVE_INFINITY, 0], [2, 3])],
  ["lengths", tensor(new Int32Array([3, -1]))],
  ["empty", tensor([], [0, 4])],
  ["scalar", tensor(7)],
]);

describe("writing and reading", () => {
  it("gives back tensors and metadata", () => {
    const { tensors, metadata } = readSafetensors(writeSafetensors(example, { step: "12", name: "größe" }));
    expect(metadata).toEqual({ step: "12", name: "größe" });
    expect([...tensors.keys()].sort()).toEqual([...example.keys()].sort());
    for (const [name, t] of example) {
      expect(tensors.get(name)!.shape).toEqual(t.shape);
      expect(tensors.get(name)!.toArray()).toEqual(t.toArray());
    }
  });

  it("gives the same bytes whatever the order, with data from a multiple of eight", () => {
    const bytes = writeSafetensors(example, { b: "2", a: "1" });
    expect(writeSafetensors(new Map([...example].reverse()), { a: "1", b: "2" })).toEqual(bytes);
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.slice(8, 8 + headerLength))).toMatchInlineSnapshot(
      `"{"__metadata__":{"a":"1","b":"2"},"empty":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]},"lengths":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},"output.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},"scalar":{"dtype":"F32","shape":[],"data_offsets":[32,36]}} "`,
    );
    expect(bytes.length).toBe(8 + headerLength + 36);
  });

  it("reads a view that does not begin at the start of its buffer", () => {
    const bytes = writeSafetensors(example);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readSafetensors(shifted.subarray(3)).tensors.get("scalar")!.item()).toBe(7);
  });

  it.each<[string, { buffer: ArrayBufferLike }, number[]]>([
    ["F64", new Float64Array([0.1, -2]), [Math.fround(0.1), -2]],
    ["F32", new Float32Array([0.1, -2]), [Math.fround(0.1), -2]],
    // 1, −2, the largest, the smallest subnormal, −∞, NaN
    [
      "F16",
      new Uint16Array([0x3c00, 0xc000, 0x7bff, 1, 0xfc00, 0x7e01]),
      [1, -2, 65504, 2 ** -24, -Infinity, NaN],
    ],
    ["BF16", new Uint16Array([0x3f80, 0xc000, 0x3dcd, 0xff80]), [1, -2, 0.10009765625, -Infinity]],
    ["I64", new BigInt64Array([-5n, 2n ** 31n - 1n]), [-5, 2 ** 31 - 1]],
    ["I32", new Int32Array([-5, 2 ** 31 - 1]), [-5, 2 ** 31 - 1]],
    ["I16", new Int16Array([-5, 300]), [-5, 300]],
    ["I8", new Int8Array([-5, 100]), [-5, 100]],
    ["U8", new Uint8Array([5, 200]), [5, 200]],
    ["BOOL", new Uint8Array([1, 0]), [1, 0]],
  ])("reads %s", (dtype, stored, values) => {
    const data = bytesOf(stored);
    const entry = { dtype, shape: [values.length], data_offsets: [0, data.length] };
    const t = readSafetensors(file({ x: entry }, data)).tensors.get("x")!;
    expect([...t.toArray()]).toEqual(values);
    expect(t.dtype).toBe(/F/.test(dtype) ? "float32" : "int32");
  });
});

const f32 = (shape: unknown, begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});
const eight = new Uint8Array(8);

const malformed: [string, Uint8Array][] = [
  ["empty file", new Uint8Array(0)],
  ["seven bytes", new Uint8Array(7)],
  ["header length 0", new Uint8Array(8)],
  ["header longer than the file", file("{}").subarray(0, 9)],
  ["header length 2⁶⁴ − 1", new Uint8Array(16).fill(255)],
  ["header not UTF-8", file("{}").map((byte, i) => (i === 9 ? 0xff : byte))],
  ["header an array", file("[]")],
  ["header not JSON", file('{"x":')],
  ["header with space before it", file(" {}")],
  ["something after the header", file("{} x")],
  ["nesting bomb", file(`{"x":${"[".repeat(100_000)}`)],
  ["duplicate name", file('{"x":{},"x":{}}')],
  ["duplicate key", file('{"x":{"dtype":"F32","dtype":"F64"}}')],
  ["__proto__", file('{"__proto__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}')],
  ["metadata not an object", file({ __metadata__: [] })],
  ["metadata not a string", file({ __metadata__: { a: 1 } })],
  ["metadata __proto__", file('{"__metadata__":{"__proto__":"x"}}')],
  ["entry not an object", file({ x: 3 })],
  ["entry with another key", file({ x: { ...f32([2], 0, 8), strides: [1] } }, eight)],
  ["no dtype", file({ x: { shape: [2], data_offsets: [0, 8] } }, eight)],
  ["unknown dtype", file({ x: { ...f32([2], 0, 8), dtype: "Q4_K" } }, eight)],
  ["no shape", file({ x: { dtype: "F32", data_offsets: [0, 8] } }, eight)],
  ["negative size", file({ x: f32([-2], 0, 8) }, eight)],
  ["fractional size", file({ x: f32([2.5], 0, 8) }, eight)],
  ["size as text", file({ x: f32(["2"], 0, 8) }, eight)],
  ["rank 9", file({ x: f32([2, 1, 1, 1, 1, 1, 1, 1, 1], 0, 8) }, eight)],
  ["shape past 2⁵³", file({ x: f32([2 ** 30, 2 ** 30, 2 ** 30], 0, 8) }, eight)],
  ["shape past 2⁵³, then 0", file({ x: f32([2 ** 50, 2 ** 50, 0], 0, 0) })],
  ["size past 2⁵³", file('{"x":{"dtype":"F32","shape":[1e300],"data_offsets":[0,8]}}', eight)],
  ["one offset", file({ x: { dtype: "F32", shape: [2], data_offsets: [0] } }, eight)],
  ["offsets backwards", file({ x: f32([2], 8, 0) }, eight)],
  ["shape and offsets differ", file({ x: f32([3], 0, 8) }, eight)],
  ["gap", file({ x: f32([1], 0, 4), y: f32([1], 8, 12) }, new Uint8Array(12))],
  ["gap at the start", file({ x: f32([1], 4, 8) }, eight)],
  ["overlap", file({ x: f32([2], 0, 8), y: f32([1], 4, 8) }, eight)],
  ["truncated data", file({ x: f32([2], 0, 8) }, new Uint8Array(7))],
  ["bytes too many", file({ x: f32([2], 0, 8) }, new Uint8Array(9))],
  [
    "int64 too large",
    file({ x: { ...f32([1], 0, 8), dtype: "I64" } }, bytesOf(new BigInt64Array([2n ** 31n]))),
  ],
];

it("refuses malformed files, naming the tensor and what is wrong", () => {
  const messages = malformed.map(([what, bytes]) => {
    try {
      readSafetensors(bytes);
      return `${what}: ACCEPTED`;
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      return `${what} → ${(error as Error).message}`;
    }
  });
  expect(messages.join("\n")).toMatchInlineSnapshot(`
    "empty file → safetensors: must begin with 8 bytes of header length, got 0 bytes in all
    seven bytes → safetensors: must begin with 8 bytes of header length, got 7 bytes in all
    header length 0 → safetensors: a header of 0 bytes does not fit a file of 8
    hint: the file is truncated or no safetensors file
    header longer than the file → safetensors: a header of 2 bytes does not fit a file of 9
    hint: the file is truncated or no safetensors file
    header length 2⁶⁴ − 1 → safetensors: a header of 18446744073709551615 bytes does not fit a file of 16
    hint: the file is truncated or no safetensors file
    header not UTF-8 → safetensors: header is not UTF-8
    header an array → safetensors: header must be a JSON object
    header not JSON → safetensors: header is not JSON, at character 5
    header with space before it → safetensors: header must be a JSON object
    something after the header → safetensors: header has something after its end, at character 3
    nesting bomb → safetensors: header nests deeper than 4 levels, at character 9
    duplicate name → safetensors: header has the key "x" twice, at character 11
    duplicate key → safetensors: header has the key "dtype" twice, at character 27
    __proto__ → safetensors: the name __proto__ is not allowed
    metadata not an object → safetensors: __metadata__ must be an object
    metadata not a string → safetensors: __metadata__ "a" must be a string
    metadata __proto__ → safetensors: the name __proto__ is not allowed
    entry not an object → safetensors: tensor "x": must be an object
    entry with another key → safetensors: tensor "x": must have dtype, shape and data_offsets alone, got "strides"
    no dtype → safetensors: tensor "x": dtype must be one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, got undefined
    unknown dtype → safetensors: tensor "x": dtype must be one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, got "Q4_K"
    no shape → safetensors: tensor "x": shape must be at most 8 whole numbers from 0 up
    negative size → safetensors: tensor "x": shape must be at most 8 whole numbers from 0 up
    fractional size → safetensors: tensor "x": shape must be at most 8 whole numbers from 0 up
    size as text → safetensors: tensor "x": shape must be at most 8 whole numbers from 0 up
    rank 9 → safetensors: tensor "x": shape must be at most 8 whole numbers from 0 up
    shape past 2⁵³ → safetensors: tensor "x": shape [1073741824, 1073741824, 1073741824] is too large
    shape past 2⁵³, then 0 → safetensors: tensor "x": shape [1125899906842624, 1125899906842624, 0] is too large
    size past 2⁵³ → safetensors: tensor "x": shape must be at most 8 whole numbers from 0 up
    one offset → safetensors: tensor "x": data_offsets must be two whole numbers, begin ≤ end
    offsets backwards → safetensors: tensor "x": data_offsets must be two whole numbers, begin ≤ end
    shape and offsets differ → safetensors: tensor "x": F32 [3] takes 12 bytes, data_offsets give it 8
    gap → safetensors: tensor "y": data must begin at 4, where the one before ends, got 8 (a gap)
    gap at the start → safetensors: tensor "x": data must begin at 0, where the one before ends, got 4 (a gap)
    overlap → safetensors: tensor "y": data must begin at 8, where the one before ends, got 4 (an overlap)
    truncated data → safetensors: tensor "x": data ends at 8, but the file has 7 bytes of data
    hint: the file is truncated
    bytes too many → safetensors: tensors take 8 bytes, but the file has 9 bytes of data
    int64 too large → safetensors: tensor "x": element 0 must fit int32, got 2147483648"
  `);
});

it("refuses names it would not read back", () => {
  const t = tensor([1]);
  expect(() => writeSafetensors(new Map([["__proto__", t]]))).toThrow(FormatError);
  expect(() => writeSafetensors(new Map([["__metadata__", t]]))).toThrow(FormatError);
});

it("meets damaged files with a FormatError and nothing else", () => {
  const good = writeSafetensors(example, { step: "12" });
  const random = new Generator(5);
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    let bytes = good.slice();
    for (let k = random.below(3); k >= 0; k--) bytes[random.below(good.length - 36)] = random.below(256);
    if (random.below(4) === 0) bytes = bytes.slice(0, random.below(bytes.length));
    try {
      readSafetensors(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(2000);
});
