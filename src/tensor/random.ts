import { OptionError } from "../errors.ts";

/**
 * Counter-based random numbers: Philox-4x32-10 (Salmon et al. 2011). A number is a pure function of what it is for,
 * so that neither chunking nor sharding nor an evaluation in between changes it. assembly/random.ts has the same.
 */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/** Four random 32-bit words for a counter of four words and a key of two. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter.map((word) => word >>> 0) as [number, number, number, number];
  let k0 = key[0] >>> 0;
  let k1 = key[1] >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = mulHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** ln x by the series of atanh; only exactly rounded operations, so the same bits in every engine. */
function ln(x: number): number {
  let exponent = 0;
  while (x < 0.75) {
    x *= 2;
    exponent--;
  }
  while (x > 1.5) {
    x /= 2;
    exponent++;
  }
  const y = (x - 1) / (x + 1);
  let term = y;
  let sum = 0;
  for (let k = 1; k < 40; k += 2) {
    sum += term / k;
    term *= y * y;
  }
  return 2 * sum + exponent * Math.LN2;
}

/** A stream of random numbers, told apart from others of the same seed by its stream number. */
export class Generator {
  readonly seed: number;
  readonly stream: number;
  /** How many blocks of four words were drawn. To begin elsewhere, set it before the first draw. */
  position = 0;
  #block: number[] = [];

  constructor(seed: number, stream = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new OptionError(`seed: must be a whole number from 0 up, got ${seed}`);
    }
    this.seed = seed;
    this.stream = stream;
  }

  /** 32 random bits. */
  bits(): number {
    if (this.#block.length === 0) {
      const key: [number, number] = [this.seed >>> 0, Math.floor(this.seed / 2 ** 32)];
      this.#block = philox(
        [this.position >>> 0, Math.floor(this.position / 2 ** 32), this.stream, 0x756e726f],
        key,
      );
      this.position++;
    }
    return this.#block.pop()!;
  }

  /** Uniform in [0, 1), 24 bits. */
  uniform(): number {
    return (this.bits() >>> 8) / 2 ** 24;
  }

  /** Standard normal, by Marsaglia's polar method. */
  normal(): number {
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * ln(s)) / s);
    }
  }

  /** A whole number in [0, n). */
  below(n: number): number {
    return Math.floor((this.bits() / 2 ** 32) * n);
  }

  /** Puts the items in random order, in place (Fisher–Yates). */
  shuffle<T extends unknown[] | Int32Array>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

/** What the random numbers of training depend on: set by `manualSeed`, moved on by each `backward()`. */
export const randomState = { seed: 0, step: 0, initStream: 0 };

/** Seeds everything: the initial values of layers made from here on, and dropout. */
export function manualSeed(seed: number): void {
  new Generator(seed); // checks it
  randomState.seed = seed;
  randomState.step = 0;
  randomState.initStream = 0;
}

/** The generator for the next parameter's initial values. */
export function initGenerator(): Generator {
  return new Generator(randomState.seed, ++randomState.initStream);
}
