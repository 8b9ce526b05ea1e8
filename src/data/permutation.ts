import { philox } from "../tensor/random.ts";

const ROUNDS = 6;
/** Tells these random words from others of the same seed. */
const TAG = 0x7368_7566;

/**
 * A random order of 0 … size − 1 that takes no memory: a Feistel network is a permutation whatever its round function
 * (Luby and Rackoff 1988), and walking on until the value is below size makes it one of any size (Black and Rogaway
 * 2002). Each place is found by itself, so that a training can stop and go on anywhere.
 */
export class Permutation {
  readonly size: number;
  readonly #half: number;
  readonly #keys: readonly number[];

  /** `number` tells the permutations of a seed apart, e.g. the epoch. */
  constructor(size: number, seed: number, number: number) {
    this.size = size;
    // At least 1 bit a half, and 4^half ≥ size.
    this.#half = Math.max(1, Math.ceil(Math.log2(size) / 2));
    const key = [seed >>> 0, Math.floor(seed / 2 ** 32)] as const;
    this.#keys = [0, 1].flatMap((part) => philox([number, part, 0, TAG], key)).slice(0, ROUNDS);
  }

  /** What stands at a place. */
  at(place: number): number {
    let value = place;
    do value = this.#encrypt(value);
    while (value >= this.size);
    return value;
  }

  #encrypt(value: number): number {
    const side = 2 ** this.#half;
    let left = Math.floor(value / side);
    let right = value % side;
    for (const key of this.#keys) [left, right] = [right, (left ^ mix(right ^ key)) & (side - 1)];
    return left * side + right;
  }
}

/** Spreads every bit over all 32 (the finalizer of MurmurHash3, Appleby). */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
