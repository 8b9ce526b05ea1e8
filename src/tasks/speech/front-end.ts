import { specAugment } from "../../data/audio/augment.ts";
import { addDeltas, type Frames, stackFrames } from "../../data/audio/context.ts";
import { conventions, FeatureExtractor, type FeatureOptions } from "../../data/audio/features.ts";
import { FeatureMoments, type FeatureStatistics, normalizeFeatures } from "../../data/audio/normalize.ts";
import { Resampler } from "../../data/audio/resample.ts";
import { DataError } from "../../errors.ts";
import { type AudioSource, hasFeatures, nameOf, readFeatures, readRecording } from "./audio.ts";
import type { FrontEndConfig } from "./config.ts";
import { FrontEndStream, vectorsBefore } from "./front-end-stream.ts";

/** The masks of SpecAugment; none of a kind if there is no count of it. */
export interface Masks {
  frequencyMasks: number;
  frequencyWidth: number;
  timeMasks: number;
  timeWidth: number;
}

/** The feature vectors of an utterance, as they were extracted, deltas behind them. */
export interface Extracted {
  frames: Frames;
  seconds: number;
  notes: string[];
  silent: boolean;
  cut: boolean;
}

function featureOptions(config: FrontEndConfig): FeatureOptions {
  const { features, sampleRate } = config;
  const convention = conventions[features === "sphinx" || features === "htk" ? features : "kaldi"];
  const kind = features === "mel" || features === "spectrogram" ? features : "mfcc";
  const { filters = kind === "mel" ? 40 : convention.filters } = config;
  const {
    coefficients = Math.min(convention.coefficients, filters),
    low = convention.low,
    high = convention.high,
  } = config;
  return { ...convention, kind, sampleRate, filters, coefficients, low, high };
}

/**
 * From recordings to what the network reads: feature vectors, their deltas, normalisation, masks, and windows of several
 * vectors, one every `stride`.
 */
export class FrontEnd {
  readonly config: FrontEndConfig;
  readonly #options: FeatureOptions;
  /** Numbers in a vector without its deltas. */
  readonly #baseSize: number;

  constructor(config: FrontEndConfig) {
    this.config = config;
    this.#options = featureOptions(config);
    this.#baseSize = new FeatureExtractor(this.#options).size;
  }

  /** Numbers in a vector with its deltas. */
  get size(): number {
    return this.#baseSize * (this.config.deltas + 1);
  }

  /** What the network reads at a step: a window. */
  get inputSize(): number {
    return this.size * this.config.stack;
  }

  /** From one step of the network to the next. */
  get secondsPerStep(): number {
    return this.#options.frameShift * this.config.stride;
  }

  /** How many steps the network makes of so many vectors. */
  steps(frames: number): number {
    return Math.ceil(frames / this.config.stride);
  }

  /** The vectors of recordings, joined, played `speed` times as fast. Of features in files the tempo alone changes. */
  async extract(audio: readonly AudioSource[], speed = 1): Promise<Extracted> {
    const extractor = new FeatureExtractor(this.#options);
    const facts = { notes: [] as string[], silent: true, cut: false };
    const parts: Float32Array[] = [];
    let samples = 0;
    for (const source of audio) {
      if (hasFeatures(source)) {
        const { values, size } = await readFeatures(source, this.#baseSize);
        parts.push(changeTempo({ values, size }, speed));
        facts.silent = false;
        continue;
      }
      const pieces = readRecording(source);
      let resampler: { push(x: Float32Array): Float32Array; end(): Float32Array } | undefined;
      for (;;) {
        const { done, value } = await pieces.next();
        if (done) {
          facts.notes.push(...value.notes);
          facts.silent &&= value.silent;
          facts.cut ||= value.cut;
          break;
        }
        resampler ??= this.#resampler(value.sampleRate, speed);
        const resampled = resampler.push(value.samples);
        samples += resampled.length;
        parts.push(extractor.push(resampled));
      }
      const rest = resampler!.end();
      samples += rest.length;
      parts.push(extractor.push(rest));
    }
    parts.push(extractor.end());
    const values = concatenate(parts);
    if (values.length === 0) throw this.tooShort(audio[0]!, samples);
    const base = { values, size: this.#baseSize };
    const { deltas, sampleRate } = this.config;
    return {
      frames: deltas > 0 ? addDeltas(base, { order: deltas }) : base,
      seconds: samples > 0 ? samples / sampleRate : (values.length / base.size) * this.#options.frameShift,
      ...facts,
    };
  }

  /** Of a recording that has so many samples at the front end's rate, and no vector. */
  tooShort(audio: AudioSource, samples: number): DataError {
    const { sampleRate, frameLength } = this.#options;
    const least = Math.floor(frameLength * sampleRate + 1e-6);
    return new DataError(
      `${nameOf(audio)}: is too short: a frame takes ${least} samples at ${sampleRate} a second, it has ${samples}`,
    );
  }

  #resampler(from: number, speed: number) {
    const { sampleRate } = this.config;
    if (from === sampleRate && speed === 1)
      return { push: (x: Float32Array) => x, end: () => new Float32Array(0) };
    return new Resampler(Math.round(from * speed), sampleRate);
  }

  /** Vectors with mean 0 and deviation 1: by statistics of all recordings, or by their own. */
  normalize(frames: Frames, statistics: FeatureStatistics | undefined): Frames {
    if (this.config.normalize === "none") return frames;
    return normalizeFeatures(frames, statistics ?? new FeatureMoments(this.size).add(frames).statistics());
  }

  /** With bands, and the same bands of their deltas, and stretches of time set to 0. */
  mask(
    { values, size }: Frames,
    masks: Masks,
    draw: { seed: number; epoch: number; utterance: number },
  ): Frames {
    const { frequencyMasks, frequencyWidth, timeMasks, timeWidth } = masks;
    const bands = specAugment({ values, size: this.#baseSize }, draw, {
      ...{ frequencyMasks, frequencyWidth, timeMasks: 0 },
    });
    const other = { ...draw, seed: draw.seed + 1 };
    return specAugment({ values: bands.values, size }, other, { frequencyMasks: 0, timeMasks, timeWidth });
  }

  /** The same for a recording that comes in pieces. */
  stream(sampleRate: number, statistics: FeatureStatistics | undefined): FrontEndStream {
    return new FrontEndStream(this.config, this.#options, sampleRate, statistics);
  }

  /** Windows of `stack` vectors, one for each `stride`; beyond the ends all is 0. */
  windows({ values, size }: Frames): Frames {
    const { stack, stride } = this.config;
    if (stack === 1 && stride === 1) return { values, size };
    const steps = this.steps(values.length / size);
    const before = vectorsBefore(this.config);
    const padded = new Float32Array(((steps - 1) * stride + stack) * size);
    padded.set(values.subarray(0, padded.length - before * size), before * size);
    return stackFrames({ values: padded, size }, stack, stride);
  }
}

/** Numbers one after the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Vectors between the given ones, on the straight lines that join them. */
function changeTempo({ values, size }: Frames, speed: number): Float32Array {
  if (speed === 1) return values;
  const last = values.length / size - 1;
  const count = Math.max(1, Math.round((last + 1) / speed));
  const out = new Float32Array(count * size);
  for (let t = 0; t < count; t++) {
    const place = Math.min(last, t * speed);
    const from = Math.floor(place);
    const to = Math.min(last, from + 1);
    for (let d = 0; d < size; d++) {
      const [a, b] = [values[from * size + d]!, values[to * size + d]!];
      out[t * size + d] = a + (place - from) * (b - a);
    }
  }
  return out;
}
