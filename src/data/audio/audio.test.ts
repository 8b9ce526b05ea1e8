import { describe, expect, it } from "vitest";
import { specAugment } from "./augment.ts";
import { readMfc, writeMfc } from "./mfc.ts";
import { perturbSpeed, Resampler, resample } from "./resample.ts";
import { decodeWav, encodeWav, toMono, WavReader } from "./wav.ts";

interface Header {
  tag?: number;
  bits?: number;
  channels?: number;
  rate?: number;
  /** What the data chunk says of its size. */
  size?: number;
  extensible?: boolean;
  /** Chunks before the samples, and after. */
  before?: [string, number];
  after?: number;
}

/** A WAV file around bytes of samples. */
function wav(samples: Uint8Array, header: Header = {}): Uint8Array {
  const {
    tag = 1,
    bits = 16,
    channels = 1,
    rate = 8000,
    size = samples.length,
    extensible,
    before,
    after = 0,
  } = header;
  const text = (s: string) => [...s].map((c) => c.charCodeAt(0));
  const word = (x: number, bytes: number) =>
    Array.from({ length: bytes }, (_, i) => Math.floor(x / 256 ** i) % 256);
  const format = [
    ...word(extensible ? 0xfffe : tag, 2),
    ...word(channels, 2),
    ...word(rate, 4),
    ...word((rate * channels * bits) / 8, 4),
    ...word((channels * bits) / 8, 2),
    ...word(bits, 2),
    ...(extensible
      ? [...word(22, 2), ...word(bits, 2), ...word(0, 4), ...word(tag, 2), ...new Array(14).fill(1)]
      : []),
  ];
  const extra = before
    ? [...text(before[0]), ...word(before[1], 4), ...new Array(before[1] + (before[1] % 2)).fill(7)]
    : [];
  const body = [
    ...text("WAVE"),
    ...extra,
    ...text("fmt "),
    ...word(format.length, 4),
    ...format,
    ...text("data"),
    ...word(size, 4),
  ];
  return Uint8Array.from([...text("RIFF"), ...word(99, 4), ...body, ...samples, ...new Array(after).fill(9)]);
}

const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const floats = Float32Array.of(0, 0.5, -1, 0.25);

describe("WAV", () => {
  it.each<[string, Uint8Array, Header]>([
    ["8 bits", Uint8Array.of(128, 192, 0, 160), { bits: 8 }],
    ["16 bits", bytes(Int16Array.of(0, 16384, -32768, 8192)), {}],
    ["24 bits", Uint8Array.of(0, 0, 0, 0, 0, 64, 0, 0, 128, 0, 0, 32), { bits: 24 }],
    ["32 bits", bytes(Int32Array.of(0, 2 ** 30, -(2 ** 31), 2 ** 29)), { bits: 32 }],
    ["32-bit floats", bytes(floats), { bits: 32, tag: 3 }],
    ["64-bit floats", bytes(Float64Array.from(floats)), { bits: 64, tag: 3 }],
    ["the extensible form", bytes(Int16Array.of(0, 16384, -32768, 8192)), { extensible: true }],
    ["extensible floats", bytes(floats), { extensible: true, tag: 3, bits: 32 }],
    [
      "other chunks before and after",
      bytes(Int16Array.of(0, 16384, -32768, 8192)),
      { before: ["LIST", 33], after: 5 },
    ],
  ])("reads %s", (_, samples, header) => {
    const found = decodeWav(wav(samples, header));
    expect(found.samples).toEqual(floats);
    expect(found).toMatchObject({ sampleRate: 8000, channels: 1, notes: [] });
  });

  it("reads channels, any rate, and mixes them", () => {
    const found = decodeWav(wav(bytes(Int16Array.of(0, 16384, -32768, 8192)), { channels: 2, rate: 44101 }));
    expect(found).toMatchObject({ channels: 2, sampleRate: 44101 });
    expect([...toMono(found.samples, 2)]).toEqual([0.25, -0.375]);
  });

  it("reads it the same in pieces, and keeps no more than one", () => {
    const whole = wav(
      Uint8Array.from({ length: 6000 }, (_, i) => (i * i) % 256),
      { bits: 24, channels: 2, before: ["LIST", 20] },
    );
    const expected = decodeWav(whole).samples;
    for (const length of [1, 7, 1000]) {
      const reader = new WavReader();
      const parts: number[] = [];
      for (let at = 0; at < whole.length; at += length)
        parts.push(...reader.push(whole.subarray(at, at + length)));
      reader.end();
      expect(Float32Array.from(parts)).toEqual(expected);
    }
  });

  it("believes a header as far as the file goes, and says so", () => {
    const samples = bytes(Int16Array.of(0, 16384, -32768, 8192));
    const notes = (size: number, length = 8) => {
      const { samples: found, notes } = decodeWav(wav(samples.subarray(0, length), { size }), "a.wav");
      return [found.length, ...notes];
    };
    expect(notes(8)).toEqual([4]);
    expect(notes(100)).toEqual([4, "a.wav: is cut off, 92 bytes of samples are missing"]);
    expect(notes(8, 7)).toEqual([
      3,
      "a.wav: is cut off, 2 bytes of samples are missing",
      "a.wav: ends within a sample, 1 bytes are left out",
    ]);
    for (const unknown of [0, 0xffffffff]) {
      expect(notes(unknown)).toEqual([4, "a.wav: does not say how long it is; read to its end"]);
    }
    expect(notes(4)).toEqual([2]);
  });

  it("refuses what is none, each in words", () => {
    const some = bytes(Int16Array.of(1, 2));
    const refused = (file: Uint8Array) => expect(() => decodeWav(file, "a.wav"));
    refused(new Uint8Array(0)).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: ends within its header]`,
    );
    refused(new TextEncoder().encode("ID3 not a WAV file")).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: is no WAV file: it begins with "ID3 "]`,
    );
    refused(wav(some).subarray(0, 30)).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: ends within its header]`,
    );
    refused(wav(new Uint8Array(0))).toThrowErrorMatchingInlineSnapshot(`[DataError: a.wav: has no samples]`);
    refused(wav(some, { tag: 7 })).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: holds µ-law, which is not read]`,
    );
    refused(wav(some, { bits: 12 })).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: has samples of 12 bits, not 8, 16, 24, 32]`,
    );
    refused(wav(some, { channels: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: says it has 0 channels of 8000 samples a second]`,
    );
    refused(
      wav(bytes(Float32Array.of(0, Number.NaN)), { tag: 3, bits: 32 }),
    ).toThrowErrorMatchingInlineSnapshot(`[DataError: a.wav: sample 1 is NaN]`);
    const endless = wav(some, { before: ["LIST", 4] });
    endless.set([255, 255, 255, 255], 16);
    refused(endless).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: has a part "LIST" of 4294967295 bytes]`,
    );
    const early = wav(some, { before: ["data", 4] });
    refused(early).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: has samples before it says what they are]`,
    );
    const format = wav(some);
    format[16] = 4;
    refused(format).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.wav: has a format of 4 bytes, not 16 or more]`,
    );
  });

  it("writes what it reads", () => {
    const found = decodeWav(encodeWav([0, 0.5, -1, 0.25, 2, -2], 16000, 2));
    expect([...found.samples]).toEqual([0, 0.5, -1, 0.25, 32767 / 32768, -1]);
    expect(found).toMatchObject({ sampleRate: 16000, channels: 2 });
  });
});

describe("resampling", () => {
  const sine = (hertz: number, rate: number, length: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));

  it.each([
    [8000, 16000, 1000],
    [16000, 8000, 1000],
    [44100, 16000, 3000],
    [22050, 44100, 5000],
    [48000, 11025, 440],
  ])("from %i to %i keeps %i Hz to 1e-3", (from, to, hertz) => {
    const found = resample(sine(hertz, from, from), from, to);
    const expected = sine(hertz, to, to);
    expect(found.length).toBe(to);
    const middle = Array.from({ length: to - 1000 }, (_, i) =>
      Math.abs(found[i + 500]! - expected[i + 500]!),
    );
    expect(Math.max(...middle)).toBeLessThan(1e-3);
  });

  it("takes away what the lower rate cannot hold, to −60 dB", () => {
    for (const hertz of [4500, 6000, 7900]) {
      const found = resample(sine(hertz, 16000, 16000), 16000, 8000).subarray(100, 7900);
      expect(Math.max(...found.map(Math.abs))).toBeLessThan(1e-3);
    }
  });

  it("gives the same bits in pieces of any size", () => {
    const signal = sine(700, 44100, 5000);
    for (const [from, to] of [
      [44100, 16000],
      [8000, 16000],
    ] as const) {
      const expected = resample(signal, from, to);
      for (const length of [1, 13, 999]) {
        const resampler = new Resampler(from, to);
        const parts: number[] = [];
        for (let at = 0; at < signal.length; at += length) {
          parts.push(...resampler.push(signal.subarray(at, at + length)));
        }
        parts.push(...resampler.end());
        expect(Float32Array.from(parts)).toEqual(expected);
      }
    }
  });

  it("changes the speed: shorter and higher by as much", () => {
    const found = perturbSpeed(sine(1000, 8000, 8000), 1.25);
    expect(found.length).toBe(6400);
    const expected = sine(1250, 8000, 6400);
    for (let i = 200; i < 6200; i += 7) expect(Math.abs(found[i]! - expected[i]!)).toBeLessThan(1e-3);
    expect(perturbSpeed(found, 1)).toBe(found);
  });

  it("says what does not fit", () => {
    expect(() => resample(floats, 8000.5, 16000)).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: resample: rates must be whole numbers of samples a second, got 8000.5]`,
    );
    expect(() => perturbSpeed(floats, 0)).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: perturbSpeed: factor must be from 0.1 to 10, got 0]`,
    );
  });
});

describe("SpecAugment", () => {
  const frames = { values: new Float32Array(50 * 40).fill(1), size: 40 };
  const masked = (utterance: number, epoch = 0, options = {}) =>
    specAugment(frames, { seed: 1, epoch, utterance }, { frequencyWidth: 10, timeWidth: 20, ...options })
      .values;

  it("masks bands and stretches no wider than asked for", () => {
    let [bands, stretches] = [0, 0];
    for (let utterance = 0; utterance < 50; utterance++) {
      const values = masked(utterance, 0, { frequencyMasks: 1, timeMasks: 1 });
      const rows = Array.from({ length: 50 }, (_, t) => values.subarray(t * 40, t * 40 + 40));
      const times = rows.filter((row) => row.every((x) => x === 0)).length;
      const clear = rows.find((row) => row.some((x) => x === 1))!;
      const width = clear.filter((x) => x === 0).length;
      expect(width).toBeLessThanOrEqual(10);
      expect(times).toBeLessThanOrEqual(20);
      bands = Math.max(bands, width);
      stretches = Math.max(stretches, times);
    }
    expect([bands, stretches]).toEqual([10, 20]);
    expect(frames.values.every((x) => x === 1)).toBe(true);
  });

  it("depends on the seed, the epoch and the utterance alone", () => {
    const first = masked(3);
    masked(4);
    expect(masked(3)).toEqual(first);
    expect(masked(3, 1)).not.toEqual(first);
    expect(masked(4)).not.toEqual(first);
  });

  it("masks no more than a part of the frames", () => {
    for (let utterance = 0; utterance < 20; utterance++) {
      const values = masked(utterance, 0, { frequencyMasks: 0, timeMasks: 1, timeRatio: 0.1 });
      expect(values.filter((x) => x === 0).length / 40).toBeLessThanOrEqual(5);
    }
  });

  it("says what does not fit", () => {
    expect(() => masked(0, 0, { timeMasks: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: specAugment: timeMasks must be a whole number from 0 up, got -1]`,
    );
    expect(() => masked(0, 0, { timeRatio: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: specAugment: timeRatio must be from 0 to 1, got 2]`,
    );
  });
});

describe("Sphinx's feature files", () => {
  const frames = { values: Float32Array.from({ length: 26 }, (_, i) => i / 4), size: 13 };

  it("are read in either byte order, and written", () => {
    const big = writeMfc(frames);
    expect(readMfc(big)).toEqual(frames);
    const swapped = new Uint8Array(big.length).map((_, i) => big[i - (i % 4) + 3 - (i % 4)]!);
    expect(readMfc(swapped)).toEqual(frames);
  });

  it("are refused, in words, when they are none", () => {
    const whole = writeMfc(frames);
    expect(() => readMfc(whole.subarray(0, 50), 13, "a.mfc")).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.mfc: its header announces 26 or 436207616 floats, it has 11.5]`,
    );
    expect(() => readMfc(new Uint8Array(2), 13, "a.mfc")).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.mfc: its header announces no number of floats, it has 0]`,
    );
    expect(() => readMfc(whole, 12, "a.mfc")).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.mfc: 26 floats are no vectors of 12]`,
    );
    const broken = writeMfc({ values: Float32Array.of(Number.NaN), size: 1 });
    expect(() => readMfc(broken, 1, "a.mfc")).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: a.mfc: float 0 is NaN]`,
    );
  });
});
