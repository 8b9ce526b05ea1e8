import { OptionError } from "../../errors.ts";

/** Feature vectors [T, D], one after the other. */
export interface Frames {
  values: Float32Array;
  size: number;
}

/**
 * Feature vectors with their regression coefficients behind them, `order` times over: d[t] = Σ_k k·(x[t+k] − x[t−k]) /
 * (2·Σ k²) for k = 1 … window, where the first and the last vector go on for ever (the HTK Book, §5.9; Kaldi's too).
 *
 * They come in pieces; a vector is out when the order·window after it are in. The pieces do not show in the numbers.
 */
export class DeltaStream {
  readonly size: number;
  readonly #inputSize: number;
  readonly #order: number;
  readonly #window: number;
  /** Vectors from `#first` on. */
  #rows: Float32Array[] = [];
  #first = 0;
  #received = 0;
  #produced = 0;

  constructor(inputSize: number, { order = 2, window = 2 } = {}) {
    if (!Number.isInteger(order) || order < 0 || !Number.isInteger(window) || window < 1) {
      throw new OptionError(
        `deltas: order must be 0 or more and window 1 or more, got ${order} and ${window}`,
      );
    }
    this.size = inputSize * (order + 1);
    this.#inputSize = inputSize;
    this.#order = order;
    this.#window = window;
  }

  push(values: Float32Array): Float32Array {
    for (let at = 0; at < values.length; at += this.#inputSize) {
      this.#rows.push(values.slice(at, at + this.#inputSize));
      this.#received++;
    }
    return this.#produce(this.#received - this.#order * this.#window);
  }

  end(): Float32Array {
    return this.#produce(this.#received);
  }

  #produce(until: number): Float32Array {
    const count = Math.max(0, until - this.#produced);
    const out = new Float32Array(count * this.size);
    for (let i = 0; i < count; i++, this.#produced++) {
      for (let order = 0; order <= this.#order; order++) {
        out.set(this.#delta(this.#produced, order), i * this.size + order * this.#inputSize);
      }
    }
    const unneeded = Math.max(0, this.#produced - this.#order * this.#window - this.#first);
    this.#rows.splice(0, unneeded);
    this.#first += unneeded;
    return out;
  }

  #delta(t: number, order: number): Float32Array {
    const inside = Math.max(0, Math.min(this.#received - 1, t));
    if (order === 0) return this.#rows[inside - this.#first]!;
    const out = new Float32Array(this.#inputSize);
    let norm = 0;
    for (let k = 1; k <= this.#window; k++) {
      norm += 2 * k * k;
      const [after, before] = [this.#delta(inside + k, order - 1), this.#delta(inside - k, order - 1)];
      for (let d = 0; d < out.length; d++) out[d]! += k * (after[d]! - before[d]!);
    }
    return out.map((x) => x / norm);
  }
}

export function addDeltas(
  { values, size }: Frames,
  options: { order?: number; window?: number } = {},
): Frames {
  const stream = new DeltaStream(size, options);
  const parts = [stream.push(values), stream.end()] as const;
  const out = new Float32Array(parts[0].length + parts[1].length);
  out.set(parts[0]);
  out.set(parts[1], parts[0].length);
  return { values: out, size: stream.size };
}

/** `count` vectors after another as one, every `stride` of them: what has too few after it is left out. */
export class FrameStacker {
  readonly size: number;
  readonly #inputSize: number;
  readonly #stride: number;
  #rest = new Float32Array(0);
  /** Numbers of the vectors to come that no stack has. */
  #skip = 0;

  constructor(inputSize: number, count: number, stride = count) {
    if (![count, stride].every((n) => Number.isInteger(n) && n >= 1)) {
      throw new OptionError(`stackFrames: count and stride must be 1 or more, got ${count} and ${stride}`);
    }
    this.size = inputSize * count;
    this.#inputSize = inputSize;
    this.#stride = stride;
  }

  push(values: Float32Array): Float32Array {
    const skipped = Math.min(this.#skip, values.length);
    this.#skip -= skipped;
    const all = new Float32Array(this.#rest.length + values.length - skipped);
    all.set(this.#rest);
    all.set(values.subarray(skipped), this.#rest.length);
    const hop = this.#stride * this.#inputSize;
    const count = Math.max(0, Math.floor((all.length - this.size) / hop) + 1);
    const out = new Float32Array(count * this.size);
    for (let i = 0; i < count; i++) out.set(all.subarray(i * hop, i * hop + this.size), i * this.size);
    this.#rest = all.slice(count * hop);
    this.#skip += Math.max(0, count * hop - all.length);
    return out;
  }
}

export function stackFrames({ values, size }: Frames, count: number, stride = count): Frames {
  const stacker = new FrameStacker(size, count, stride);
  return { values: stacker.push(values), size: stacker.size };
}
