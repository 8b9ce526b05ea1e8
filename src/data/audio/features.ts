import { OptionError } from "../../errors.ts";
import { RealFft } from "./fft.ts";
import { cosineTransform, type DctKind, type MelFilter, type MelScale, melFilters } from "./mel.ts";

/** How samples become feature vectors. Times are in seconds, frequencies in Hz. */
export interface FeatureOptions {
  /** `spectrogram`: ln of each frequency's energy; `mel`: of each filter's; `mfcc`: their cosine transform. */
  kind: "spectrogram" | "mel" | "mfcc";
  sampleRate: number;
  frameLength: number;
  frameShift: number;
  /** Samples in [−1, 1) are multiplied by this; 32768 where the convention has them as 16-bit integers. */
  scale: number;
  /** x[n] − p·x[n−1]: within each frame, its first sample being its own predecessor (Kaldi, HTK), or along the signal. */
  preemphasis: number;
  preemphasisAlong: boolean;
  /** Takes each frame's mean away. */
  removeMean: boolean;
  window: "hamming" | "hann" | "povey" | "rectangular";
  /** The transform's size, the next power of two by default. */
  fftSize?: number | undefined;
  /** Filters add up |X|² or |X|. */
  spectrum: "power" | "magnitude";
  melScale: MelScale;
  filters: number;
  low: number;
  /** 0 or less counts down from half the sampling rate. */
  high: number;
  /** What a logarithm is taken of is at least this; Sphinx adds it instead. */
  floor: number;
  floorAdded: boolean;
  /** Cepstral coefficients, the 0th among them. */
  coefficients: number;
  dct: DctKind;
  /** 1 + L/2·sin(πn/L) stretches the cepstra; 0: nothing does. */
  lifter: number;
  /** In place of the 0th coefficient: ln Σ x², before pre-emphasis and window. HTK has the 0th at the end. */
  first: "c0" | "energy" | "c0-last";
  /** What is left at the end goes on with silence for one more frame (Sphinx), or is dropped. */
  padEnd: boolean;
}

type Convention = Omit<FeatureOptions, "kind" | "sampleRate">;

/**
 * The usual set-ups, value by value as their programs have them by default:
 * - `kaldi`: compute-mfcc-feats and compute-fbank-feats without dither (which is random);
 * - `htk`: the HTK Book's example, MFCC_0 with 26 filters;
 * - `sphinx`: sphinx_fe as AN4's features were made, 40 filters from 133 to 6855 Hz.
 */
export const conventions: Record<"kaldi" | "htk" | "sphinx", Convention> = {
  kaldi: {
    frameLength: 0.025,
    frameShift: 0.01,
    scale: 32768,
    preemphasis: 0.97,
    preemphasisAlong: false,
    removeMean: true,
    window: "povey",
    spectrum: "power",
    melScale: "mel-triangles",
    filters: 23,
    low: 20,
    high: 0,
    floor: 2 ** -23,
    floorAdded: false,
    coefficients: 13,
    dct: "orthonormal",
    lifter: 22,
    first: "energy",
    padEnd: false,
  },
  htk: {
    frameLength: 0.025,
    frameShift: 0.01,
    scale: 32768,
    preemphasis: 0.97,
    preemphasisAlong: false,
    removeMean: false,
    window: "hamming",
    spectrum: "magnitude",
    melScale: "mel-triangles",
    filters: 26,
    low: 0,
    high: 0,
    floor: 1,
    floorAdded: false,
    coefficients: 13,
    dct: "htk",
    lifter: 22,
    first: "c0-last",
    padEnd: false,
  },
  sphinx: {
    frameLength: 0.025625,
    frameShift: 0.01,
    scale: 32768,
    preemphasis: 0.97,
    preemphasisAlong: true,
    removeMean: false,
    window: "hamming",
    spectrum: "power",
    melScale: "rounded-unit-area",
    filters: 40,
    low: 133.33334,
    high: 6855.4976,
    floor: 1e-4,
    floorAdded: true,
    coefficients: 13,
    dct: "sphinx",
    lifter: 0,
    first: "c0",
    padEnd: true,
  },
};

const windows: Record<FeatureOptions["window"], (phase: number) => number> = {
  hamming: (phase) => 0.54 - 0.46 * Math.cos(phase),
  hann: (phase) => 0.5 - 0.5 * Math.cos(phase),
  povey: (phase) => (0.5 - 0.5 * Math.cos(phase)) ** 0.85,
  rectangular: () => 1,
};

/** Feature vectors of a signal that comes in pieces; the pieces do not show in the numbers. */
export class FeatureExtractor {
  readonly options: FeatureOptions;
  /** Numbers in a feature vector. */
  readonly size: number;
  readonly #length: number;
  readonly #shift: number;
  readonly #window: Float64Array;
  readonly #fft: RealFft;
  readonly #filters: MelFilter[];
  readonly #dct: Float64Array[];
  #rest = new Float64Array(0);
  /** The sample before the next one, for pre-emphasis along the signal. */
  #before = 0;
  #begun = false;

  constructor(options: FeatureOptions) {
    const { sampleRate, frameLength, frameShift, filters, low, coefficients } = options;
    this.options = options;
    this.#length = Math.floor(frameLength * sampleRate + 1e-6);
    this.#shift = Math.floor(frameShift * sampleRate + 1e-6);
    const fftSize = options.fftSize ?? 2 ** Math.ceil(Math.log2(Math.max(2, this.#length)));
    const high = options.high > 0 ? options.high : sampleRate / 2 + options.high;
    check(
      this.#shift >= 1 && this.#length >= 2 && this.#shift <= this.#length,
      "frames must be two samples long or more, and may not leave any out",
      options,
    );
    check(
      Number.isInteger(Math.log2(fftSize)) && fftSize >= this.#length,
      "fftSize must be a power of two, as long as a frame",
      options,
    );
    check(
      low >= 0 && low < high && high <= sampleRate / 2,
      `filters must lie within 0 and ${sampleRate / 2} Hz`,
      options,
    );
    check(coefficients >= 1 && coefficients <= filters, "coefficients must be no more than filters", options);
    this.#fft = new RealFft(fftSize);
    this.#window = Float64Array.from({ length: this.#length }, (_, i) =>
      windows[options.window]((2 * Math.PI * i) / (this.#length - 1)),
    );
    this.#filters = options.kind === "spectrogram" ? [] : melFilters({ ...options, high, fftSize });
    this.#dct =
      options.kind === "mfcc" ? cosineTransform(options.dct, filters, coefficients, options.lifter) : [];
    this.size = { spectrogram: fftSize / 2 + 1, mel: filters, mfcc: coefficients }[options.kind];
  }

  /** The vectors that these samples, in [−1, 1), complete: [frames, size], one after the other. */
  push(samples: ArrayLike<number>): Float32Array {
    const { scale, preemphasis, preemphasisAlong } = this.options;
    const all = new Float64Array(this.#rest.length + samples.length);
    all.set(this.#rest);
    for (let i = 0; i < samples.length; i++) {
      const x = samples[i]! * scale;
      all[this.#rest.length + i] = preemphasisAlong ? x - preemphasis * this.#before : x;
      this.#before = x;
    }
    const frames = Math.max(0, Math.floor((all.length - this.#length) / this.#shift) + 1);
    const out = new Float32Array(frames * this.size);
    for (let t = 0; t < frames; t++) {
      this.#frame(all.subarray(t * this.#shift, t * this.#shift + this.#length), out.subarray(t * this.size));
    }
    if (frames > 0) this.#begun = true;
    this.#rest = all.slice(frames * this.#shift);
    return out;
  }

  /** What is left; afterwards another signal may begin. */
  end(): Float32Array {
    const { padEnd } = this.options;
    // Of the last whole frame, all but a shift is still there.
    const fresh = this.#rest.length - (this.#begun ? this.#length - this.#shift : 0);
    const out = new Float32Array(padEnd && fresh > 0 ? this.size : 0);
    if (out.length > 0) {
      const frame = new Float64Array(this.#length);
      frame.set(this.#rest.subarray(0, this.#length));
      this.#frame(frame, out);
    }
    this.#rest = new Float64Array(0);
    this.#before = 0;
    this.#begun = false;
    return out;
  }

  #frame(samples: Float64Array, out: Float32Array): void {
    const { options } = this;
    const frame = samples.slice();
    if (options.removeMean) {
      const mean = frame.reduce((sum, x) => sum + x, 0) / frame.length;
      for (let i = 0; i < frame.length; i++) frame[i]! -= mean;
    }
    const energy = options.first === "energy" ? frame.reduce((sum, x) => sum + x * x, 0) : 0;
    if (!options.preemphasisAlong) {
      for (let i = frame.length - 1; i >= 0; i--)
        frame[i]! -= options.preemphasis * frame[Math.max(0, i - 1)]!;
    }
    for (let i = 0; i < frame.length; i++) frame[i]! *= this.#window[i]!;
    const spectrum = this.#fft.power(frame);
    if (options.spectrum === "magnitude")
      for (let k = 0; k < spectrum.length; k++) spectrum[k] = Math.sqrt(spectrum[k]!);
    if (options.kind === "spectrogram") {
      for (let k = 0; k < spectrum.length; k++) out[k] = this.#logarithm(spectrum[k]!);
      return;
    }
    const bands = this.#filters.map(({ first, weights }) => {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * spectrum[first + k]!;
      return this.#logarithm(sum);
    });
    if (options.kind === "mel") {
      out.set(bands);
      return;
    }
    const cepstra = this.#dct.map((row) => row.reduce((sum, weight, j) => sum + weight * bands[j]!, 0));
    if (options.first === "energy") cepstra[0] = this.#logarithm(energy);
    if (options.first === "c0-last") cepstra.push(cepstra.shift()!);
    out.set(cepstra);
  }

  #logarithm(x: number): number {
    const { floor, floorAdded } = this.options;
    return Math.log(floorAdded ? x + floor : Math.max(x, floor));
  }
}

function check(holds: boolean, what: string, { sampleRate, kind }: FeatureOptions): void {
  if (!holds)
    throw new OptionError(`features: ${what}; ${kind} at ${sampleRate} samples a second has others`);
}

/** All vectors of a signal, [frames, size] one after the other. */
export function extractFeatures(samples: ArrayLike<number>, options: FeatureOptions): Float32Array {
  const extractor = new FeatureExtractor(options);
  const whole = extractor.push(samples);
  const last = extractor.end();
  const out = new Float32Array(whole.length + last.length);
  out.set(whole);
  out.set(last, whole.length);
  return out;
}
