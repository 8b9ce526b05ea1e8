import { OptionError } from "../../errors.ts";

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** The modified Bessel function I₀, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** Zero crossings of the sinc on either side, and Kaiser's β: aliases are 80 dB down. */
const CROSSINGS = 32;
const BETA = 8;
/** Where the pass band ends, as a part of the lower of the two Nyquist frequencies. */
const ROLLOFF = 0.94;

/**
 * Changes the sampling rate, in pieces of any size: y[n] = Σ x[m]·h(n·from/to − m), h a sinc under Kaiser's window that
 * cuts at the lower Nyquist frequency (Smith, "Digital audio resampling"). Its values are kept for each of the
 * to/gcd(from, to) phases, so that a sample is one dot product and does not depend on the pieces.
 */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #phases: Float64Array;
  /** Input from index `#first` on. */
  #buffer = new Float32Array(0);
  #first: number;
  #received = 0;
  #produced = 0;

  constructor(from: number, to: number) {
    for (const rate of [from, to]) {
      if (!Number.isInteger(rate) || rate < 1) {
        throw new OptionError(`resample: rates must be whole numbers of samples a second, got ${rate}`);
      }
    }
    const common = gcd(from, to);
    this.#up = to / common;
    this.#down = from / common;
    const cutoff = ROLLOFF * Math.min(1, to / from);
    const reach = Math.ceil(CROSSINGS / cutoff);
    this.#taps = 2 * reach;
    this.#first = 1 - reach;
    this.#buffer = new Float32Array(reach - 1);
    this.#phases = new Float64Array(this.#up * this.#taps);
    for (let phase = 0; phase < this.#up; phase++) {
      for (let tap = 0; tap < this.#taps; tap++) {
        const x = phase / this.#up + reach - 1 - tap;
        const arch = 1 - (x / reach) ** 2;
        const window = arch > 0 ? bessel(BETA * Math.sqrt(arch)) / bessel(BETA) : 0;
        const angle = Math.PI * cutoff * x;
        this.#phases[phase * this.#taps + tap] = window * cutoff * (x === 0 ? 1 : Math.sin(angle) / angle);
      }
    }
  }

  /** The samples that these complete. */
  push(samples: Float32Array): Float32Array {
    this.#received += samples.length;
    return this.#go(samples, Number.POSITIVE_INFINITY);
  }

  /** Those left, as if silence followed: ⌈received·to/from⌉ in all. */
  end(): Float32Array {
    const total = Math.ceil((this.#received * this.#up) / this.#down);
    return this.#go(new Float32Array(this.#taps), total);
  }

  #go(samples: Float32Array, limit: number): Float32Array {
    const all = new Float32Array(this.#buffer.length + samples.length);
    all.set(this.#buffer);
    all.set(samples, this.#buffer.length);
    const [up, down, taps, phases] = [this.#up, this.#down, this.#taps, this.#phases];
    const out: number[] = [];
    let begin = 0;
    for (; this.#produced < limit; this.#produced++) {
      const place = this.#produced * down;
      begin = Math.floor(place / up) + 1 - taps / 2 - this.#first;
      if (begin + taps > all.length) break;
      const row = (place % up) * taps;
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += phases[row + tap]! * all[begin + tap]!;
      out.push(sum);
    }
    const used = Math.min(Math.max(begin, 0), all.length);
    this.#buffer = all.slice(used);
    this.#first += used;
    return Float32Array.from(out);
  }
}

/** All of a signal at another rate. */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const resampler = new Resampler(from, to);
  const parts = [resampler.push(samples), resampler.end()];
  const out = new Float32Array(parts[0]!.length + parts[1]!.length);
  out.set(parts[0]!);
  out.set(parts[1]!, parts[0]!.length);
  return out;
}

/** The signal played `factor` times as fast, pitch and all (Ko et al. 2015); 0.9, 1 and 1.1 are the usual ones. */
export function perturbSpeed(samples: Float32Array, factor: number): Float32Array {
  if (!(factor >= 0.1 && factor <= 10)) {
    throw new OptionError(`perturbSpeed: factor must be from 0.1 to 10, got ${factor}`);
  }
  return resample(samples, Math.round(1000 * factor), 1000);
}
