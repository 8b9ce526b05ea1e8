import { DeltaStream, FrameStacker, type Frames } from "../../data/audio/context.ts";
import { FeatureExtractor, type FeatureOptions } from "../../data/audio/features.ts";
import { type FeatureStatistics, normalizeFeatures } from "../../data/audio/normalize.ts";
import { Resampler } from "../../data/audio/resample.ts";
import { UsageError } from "../../errors.ts";
import type { FrontEndConfig } from "./config.ts";

/** Vectors of zeros before the first, so that a window lies about its place. */
export const vectorsBefore = ({ stack, stride }: Pick<FrontEndConfig, "stack" | "stride">) =>
  Math.floor((stack - stride) / 2);

/** A front end for sound that comes in pieces of any size: they do not show in the windows. */
export class FrontEndStream {
  readonly #config: FrontEndConfig;
  readonly #resampler: Resampler | undefined;
  readonly #extractor: FeatureExtractor;
  readonly #deltas: DeltaStream;
  readonly #stacker: FrameStacker;
  readonly #statistics: FeatureStatistics | undefined;
  #vectors = 0;

  constructor(
    config: FrontEndConfig,
    options: FeatureOptions,
    sampleRate: number,
    statistics: FeatureStatistics | undefined,
  ) {
    if (config.normalize !== "global" && config.normalize !== "none") {
      throw new UsageError(
        `stream: the model must be normalised by statistics of its training, it is by those of each ${config.normalize}`,
        { hint: 'train it with normalize "global"' },
      );
    }
    this.#config = config;
    this.#statistics = statistics;
    if (sampleRate !== config.sampleRate) this.#resampler = new Resampler(sampleRate, config.sampleRate);
    this.#extractor = new FeatureExtractor(options);
    this.#deltas = new DeltaStream(this.#extractor.size, { order: config.deltas });
    this.#stacker = new FrameStacker(this.#deltas.size, config.stack, config.stride);
    this.#stacker.push(new Float32Array(vectorsBefore(config) * this.#deltas.size));
  }

  /** The windows that these samples complete. */
  push(samples: Float32Array): Frames {
    const resampled = this.#resampler ? this.#resampler.push(samples) : samples;
    return this.#windows(this.#deltas.push(this.#extractor.push(resampled)));
  }

  /** Those left. */
  end(): Frames[] {
    const rest = this.#resampler ? this.#resampler.end() : new Float32Array(0);
    const last = [this.#extractor.push(rest), this.#extractor.end()].map((values) =>
      this.#deltas.push(values),
    );
    const windows = [...last, this.#deltas.end()].map((vectors) => this.#windows(vectors));
    const { stack, stride } = this.#config;
    const steps = Math.ceil(this.#vectors / stride);
    const missing = (steps - 1) * stride + stack - vectorsBefore(this.#config) - this.#vectors;
    const padding = new Float32Array(Math.max(0, missing) * this.#deltas.size);
    return [...windows, { values: this.#stacker.push(padding), size: this.#stacker.size }];
  }

  #windows(values: Float32Array): Frames {
    const { size } = this.#deltas;
    this.#vectors += values.length / size;
    const vectors = this.#statistics ? normalizeFeatures({ values, size }, this.#statistics).values : values;
    return { values: this.#stacker.push(vectors), size: this.#stacker.size };
  }
}
