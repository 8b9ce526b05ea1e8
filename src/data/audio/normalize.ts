import { DataError } from "../../errors.ts";
import type { Frames } from "./context.ts";

/** Means and standard deviations, as they are kept in a file. */
export interface FeatureStatistics {
  mean: number[];
  deviation: number[];
}

/**
 * Gathers the mean and the deviation of feature vectors: of all of them, for global normalisation, or of one for each
 * speaker or utterance. Sums are kept about the first vector, so that large means cost no precision.
 */
export class FeatureMoments {
  readonly #origin: Float64Array;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  count = 0;

  constructor(size: number) {
    this.#origin = new Float64Array(size);
    this.#sums = new Float64Array(size);
    this.#squares = new Float64Array(size);
  }

  add({ values, size }: Frames): this {
    if (size !== this.#sums.length) {
      throw new DataError(`features: vectors must have ${this.#sums.length} numbers, got ${size}`);
    }
    if (this.count === 0 && values.length > 0) this.#origin.set(values.subarray(0, size));
    for (let at = 0; at < values.length; at += size, this.count++) {
      for (let d = 0; d < size; d++) {
        const x = values[at + d]! - this.#origin[d]!;
        this.#sums[d]! += x;
        this.#squares[d]! += x * x;
      }
    }
    return this;
  }

  /** Where a feature never varies, its deviation is given as 1. */
  statistics(): FeatureStatistics {
    if (this.count === 0) throw new DataError("features: statistics of no vectors were asked for");
    const mean = Array.from(this.#sums, (sum, d) => this.#origin[d]! + sum / this.count);
    const deviation = Array.from(this.#squares, (squares, d) => {
      const offset = this.#sums[d]! / this.count;
      return Math.sqrt(Math.max(0, squares / this.count - offset * offset)) || 1;
    });
    return { mean, deviation };
  }
}

/** (x − mean) / deviation; each vector for itself, so streams may do it too. */
export function normalizeFeatures({ values, size }: Frames, { mean, deviation }: FeatureStatistics): Frames {
  if (mean.length !== size || deviation.length !== size) {
    throw new DataError(`features: statistics are of ${mean.length} numbers, the vectors have ${size}`);
  }
  return { values: values.map((x, i) => (x - mean[i % size]!) / deviation[i % size]!), size };
}
