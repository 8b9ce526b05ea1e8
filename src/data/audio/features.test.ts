import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Generator } from "../../tensor/random.ts";
import { expectClose } from "../../testing/check-op.ts";
import { addDeltas, DeltaStream, FrameStacker, stackFrames } from "./context.ts";
import { conventions, extractFeatures, FeatureExtractor, type FeatureOptions } from "./features.ts";
import { RealFft } from "./fft.ts";
import { hertzToMel, melToHertz } from "./mel.ts";
import { FeatureMoments, normalizeFeatures } from "./normalize.ts";

const file = new URL("../../../test/golden/audio.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as Record<string, number[]>;
const signal = Float32Array.from(golden.signal!);

const options = (
  convention: keyof typeof conventions,
  kind: FeatureOptions["kind"],
  sampleRate = 16000,
): FeatureOptions => ({ ...conventions[convention], kind, sampleRate });

/** Cuts values into pieces of drawn lengths, whole vectors of `size`. */
function pieces(values: Float32Array, size = 1, seed = 1): Float32Array[] {
  const generator = new Generator(seed);
  const out: Float32Array[] = [];
  for (let at = 0; at < values.length; ) {
    const next = at + size * generator.below(300);
    out.push(values.slice(at, next));
    at = next;
  }
  return out;
}

const join = (parts: Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));

describe("the transform", () => {
  it("agrees with PyTorch's", () => {
    expectClose("fft", new RealFft(64).power(signal.subarray(0, 64)), golden.fft!, 1e-9);
  });

  it.each([2, 4, 8, 512])("of %i samples is the sum that defines it, of short signals too", (size) => {
    for (const length of [size, size - 1, 1]) {
      const x = signal.subarray(100, 100 + length);
      const expected = Float64Array.from({ length: size / 2 + 1 }, (_, k) => {
        let [re, im] = [0, 0];
        x.forEach((value, n) => {
          re += value * Math.cos((2 * Math.PI * k * n) / size);
          im -= value * Math.sin((2 * Math.PI * k * n) / size);
        });
        return re * re + im * im;
      });
      expectClose(`${length} of ${size}`, new RealFft(size).power(x), expected, 1e-11);
    }
  });
});

it("the mel scale has 1000 near 1000 Hz, and goes back", () => {
  expect(hertzToMel(1000)).toBeCloseTo(1000, 1);
  expect(melToHertz(hertzToMel(4321))).toBeCloseTo(4321, 8);
});

describe("features agree with the formulas of", () => {
  it.each([
    ["kaldi", "spectrogram"],
    ["kaldi", "mel"],
    ["kaldi", "mfcc"],
    ["htk", "mfcc"],
    ["sphinx", "mfcc"],
  ] as const)("%s %s", (convention, kind) => {
    const expected = golden[`${convention} ${kind}`]!;
    const found = extractFeatures(signal, options(convention, kind)).subarray(
      0,
      kind === "spectrogram" ? 514 : undefined,
    );
    expectClose(`${convention} ${kind}`, found, expected, 1e-6);
  });

  it("deltas, as HTK and Kaldi have them", () => {
    const values = extractFeatures(signal, options("kaldi", "mfcc"));
    const { values: found, size } = addDeltas({ values, size: 13 });
    expect(size).toBe(39);
    expectClose("deltas", found, golden.deltas!, 1e-6);
  });
});

describe("pieces of any size give the same bits", () => {
  it.each(["kaldi", "htk", "sphinx"] as const)("of %s features", (convention) => {
    const expected = extractFeatures(signal, options(convention, "mfcc"));
    const extractor = new FeatureExtractor(options(convention, "mfcc"));
    for (const seed of [1, 2]) {
      const parts = pieces(signal, 1, seed).map((piece) => extractor.push(piece));
      expect(join([...parts, extractor.end()])).toEqual(expected);
    }
  });

  it("of deltas and stacks", () => {
    const values = Float32Array.from({ length: 3 * 1000 }, (_, i) => Math.sin(i * i));
    const deltas = new DeltaStream(3);
    expect(join([...pieces(values, 3).map((piece) => deltas.push(piece)), deltas.end()])).toEqual(
      addDeltas({ values, size: 3 }).values,
    );
    for (const [count, stride] of [
      [3, 2],
      [2, 5],
      [4, 4],
    ] as const) {
      const stacker = new FrameStacker(3, count, stride);
      expect(join(pieces(values, 3).map((piece) => stacker.push(piece)))).toEqual(
        stackFrames({ values, size: 3 }, count, stride).values,
      );
    }
  });
});

it("of a signal that fits no frame there are none; of silence they are finite", () => {
  expect(extractFeatures(new Float32Array(399), options("kaldi", "mel")).length).toBe(0);
  expect(extractFeatures(new Float32Array(400), options("kaldi", "mel")).length).toBe(23);
  expect(extractFeatures(new Float32Array(100), options("sphinx", "mfcc")).length).toBe(13);
  expect(extractFeatures(new Float32Array(0), options("sphinx", "mfcc")).length).toBe(0);
  for (const convention of ["kaldi", "htk", "sphinx"] as const) {
    const silence = extractFeatures(new Float32Array(800), options(convention, "mfcc"));
    expect(silence.every(Number.isFinite)).toBe(true);
  }
});

it("a tone is loudest where it is", () => {
  const tone = Float32Array.from({ length: 4000 }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / 8000));
  const spectrum = extractFeatures(tone, options("kaldi", "spectrogram", 8000)).subarray(0, 129);
  expect(spectrum.indexOf(Math.max(...spectrum))).toBe(32); // 1000 / (8000 / 256)
});

it("stacks vectors", () => {
  const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7);
  expect([...stackFrames({ values, size: 1 }, 3, 2).values]).toEqual([1, 2, 3, 3, 4, 5, 5, 6, 7]);
  expect([...stackFrames({ values, size: 1 }, 2, 3).values]).toEqual([1, 2, 4, 5]);
});

it("normalises to mean 0 and deviation 1, over utterances too", () => {
  const values = Float32Array.from({ length: 400 }, (_, i) => (i % 2 ? 1e4 + Math.sin(i) : 7));
  const [a, b] = [values.subarray(0, 100), values.subarray(100)].map((part) => ({ values: part, size: 2 }));
  const statistics = new FeatureMoments(2).add(a!).add(b!).statistics();
  expect(statistics.deviation[0]).toBe(1);
  const { values: normal } = normalizeFeatures({ values, size: 2 }, statistics);
  const after = new FeatureMoments(2).add({ values: normal, size: 2 }).statistics();
  expect(after.mean[0]).toBe(0);
  expect(after.mean[1]).toBeCloseTo(0, 4);
  expect(after.deviation[1]).toBeCloseTo(1, 4);
});

it("says what does not fit", () => {
  const make = (change: Partial<FeatureOptions>) => () =>
    new FeatureExtractor({ ...options("kaldi", "mfcc"), ...change });
  expect(make({ fftSize: 300 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: features: fftSize must be a power of two, as long as a frame; mfcc at 16000 samples a second has others]`,
  );
  expect(make({ high: 9000 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: features: filters must lie within 0 and 8000 Hz; mfcc at 16000 samples a second has others]`,
  );
  expect(make({ coefficients: 30 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: features: coefficients must be no more than filters; mfcc at 16000 samples a second has others]`,
  );
  expect(make({ frameShift: 0.05 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: features: frames must be two samples long or more, and may not leave any out; mfcc at 16000 samples a second has others]`,
  );
  expect(() => new DeltaStream(3, { window: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: deltas: order must be 0 or more and window 1 or more, got 2 and 0]`,
  );
  expect(() => new FrameStacker(3, 0)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: stackFrames: count and stride must be 1 or more, got 0 and 0]`,
  );
  expect(() => new FeatureMoments(3).statistics()).toThrowErrorMatchingInlineSnapshot(
    `[DataError: features: statistics of no vectors were asked for]`,
  );
  const frames = { values: new Float32Array(4), size: 2 };
  expect(() => new FeatureMoments(3).add(frames)).toThrowErrorMatchingInlineSnapshot(
    `[DataError: features: vectors must have 3 numbers, got 2]`,
  );
  expect(() => normalizeFeatures(frames, { mean: [0], deviation: [1] })).toThrowErrorMatchingInlineSnapshot(
    `[DataError: features: statistics are of 1 numbers, the vectors have 2]`,
  );
});
