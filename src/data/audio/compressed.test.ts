import { FLACDecoder } from "@wasm-audio-decoders/flac";
import { MPEGDecoder } from "mpg123-decoder";
import { expect, it } from "vitest";
import { encodeFlac, silentMp3 } from "../../../test/flac.ts";
import { problem } from "../../../test/problem.ts";
import { relativeError } from "../../testing/check-op.ts";
import { decodeCompressed, openDecoder } from "./compressed.ts";
import { type CompressedFormat, compressedFormat } from "./compressed-format.ts";

/** All samples of a file that comes in pieces of so many bytes. */
async function decode(bytes: Uint8Array, size: number, format: CompressedFormat = "flac") {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.slice(i * size, (i + 1) * size),
  );
  const samples: number[] = [];
  let rate = 0;
  const decoded = decodeCompressed("a.flac", format, pieces);
  for (;;) {
    const { done, value } = await decoded.next();
    if (done) return { samples, rate, missing: value.missing };
    samples.push(...value.samples);
    rate = value.sampleRate;
  }
}

const left = Int16Array.from({ length: 3000 }, (_, i) => 20_000 * Math.sin(i * i * 1e-4));
const right = left.map((x, i) => (i % 7 === 0 ? 0 : x / 2));

it.each([1e9, 1000, 77])("reads FLAC, the mean of its channels, in pieces of %d bytes", async (size) => {
  const { samples: mono, ...facts } = await decode(encodeFlac([left]), size);
  expect(facts).toEqual({ rate: 16_000, missing: 0 });
  // The decoder divides by 2¹⁵ − 1.
  expect(
    relativeError(
      mono,
      Float64Array.from(left, (x) => x / (2 ** 15 - 1)),
    ),
  ).toBeLessThan(1e-6);
  const { samples } = await decode(encodeFlac([left, right]), size);
  const mean = Float64Array.from(left, (x, i) => (x + right[i]!) / (2 ** 16 - 2));
  expect(relativeError(samples, mean)).toBeLessThan(1e-6);
});

it("reads MP3", async () => {
  const { samples, ...facts } = await decode(silentMp3(20), 1000, "mp3");
  expect(facts).toEqual({ rate: 44_100, missing: 0 });
  expect(samples.length % 1152).toBe(0);
  expect(samples.length).toBeGreaterThanOrEqual(18 * 1152);
  expect(samples.every((x) => Math.abs(x) < 1e-6)).toBe(true);
});

it("knows a file by its first bytes", () => {
  const formats = (...bytes: number[]) => compressedFormat(Uint8Array.from(bytes));
  expect(compressedFormat(encodeFlac([left]))).toBe("flac");
  expect(compressedFormat(silentMp3(1))).toBe("mp3");
  expect(compressedFormat(Buffer.from("ID3\x04"))).toBe("mp3");
  expect(formats(0xff, 0xfd)).toBeUndefined();
  expect(compressedFormat(Buffer.from("RIFF"))).toBeUndefined();
  expect(compressedFormat(Buffer.from("ID3, and more"))).toBeUndefined();
  expect(formats()).toBeUndefined();
});

it("asks the packages that it names", async () => {
  expect(await openDecoder("a.flac", "flac")).toBeInstanceOf(FLACDecoder);
  expect(await openDecoder("a.mp3", "mp3")).toBeInstanceOf(MPEGDecoder);
});

it("says what is damaged, and what is not installed", async () => {
  const flac = encodeFlac([left]);
  const broken = flac.slice();
  broken.fill(0x55, 60);
  expect(await problem(decode(broken, 1e9))).toMatchInlineSnapshot(
    `"DataError: a.flac: is damaged: no sample is found in it"`,
  );
  expect((await decode(flac.slice(0, 5000), 1e9)).missing).toBe(3000 - 2048);
  expect(await problem(decode(new Uint8Array(5000), 1e9, "mp3"))).toMatchInlineSnapshot(
    `"DataError: a.flac: is damaged: no sample is found in it"`,
  );
  const missing = () => Promise.reject(new Error("Cannot find package"));
  expect(await problem(openDecoder("a.flac", "flac", missing))).toMatchInlineSnapshot(`
    "OptionError: a.flac: FLAC is read by the package @wasm-audio-decoders/flac, which is not installed
    hint: npm install @wasm-audio-decoders/flac"
  `);
  expect(await problem(openDecoder("b.mp3", "mp3", missing))).toMatchInlineSnapshot(`
    "OptionError: b.mp3: MP3 is read by the package mpg123-decoder, which is not installed
    hint: npm install mpg123-decoder"
  `);
});
