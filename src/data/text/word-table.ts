/**
 * Words and their numbers, 0 up. It is a hash table over the letters themselves: a word of a text is found by where it
 * stands, without making a string of it, which is most of what reading gigabytes of words costs otherwise.
 */
export class WordTable {
  size = 0;
  /** The letters of all words, one word after the other, as UTF-16 units. */
  #letters = new Uint16Array(2 ** 12);
  /** Where the letters of each word end. */
  #ends = new Int32Array(2 ** 9);
  /** Open addressing: the number of a word, or −1, and its hash beside it; at most half of the slots are taken. */
  #slots = new Int32Array(2 ** 11).fill(-1);

  constructor(words: Iterable<string> = []) {
    for (const word of words) this.add(word, 0, word.length);
  }

  /** The number of the word that stands in a text, or −1. */
  find(text: string, from: number, to: number): number {
    const hash = hashOf(text, from, to);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (2 * hash) & mask; ; slot = (slot + 2) & mask) {
      const number = slots[slot]!;
      if (number < 0 || (slots[slot + 1] === hash && this.#is(number, text, from, to))) return number;
    }
  }

  #is(number: number, text: string, from: number, to: number): boolean {
    const start = this.#start(number);
    if (this.#ends[number]! - start !== to - from) return false;
    for (let i = from; i < to; i++) if (this.#letters[start + i - from] !== text.charCodeAt(i)) return false;
    return true;
  }

  #start(number: number): number {
    return number === 0 ? 0 : this.#ends[number - 1]!;
  }

  /** Gives a word that is not there yet its number. */
  add(text: string, from: number, to: number): number {
    const number = this.size++;
    const start = this.#start(number);
    const end = start + to - from;
    while (end > this.#letters.length) this.#letters = grown(this.#letters, Uint16Array);
    for (let i = from; i < to; i++) this.#letters[start + i - from] = text.charCodeAt(i);
    if (number === this.#ends.length) this.#ends = grown(this.#ends, Int32Array);
    this.#ends[number] = end;
    if (4 * this.size > this.#slots.length) this.#enlarge();
    this.#place(number, hashOf(text, from, to));
    return number;
  }

  #enlarge(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(2 * before.length).fill(-1);
    for (let slot = 0; slot < before.length; slot += 2) {
      if (before[slot]! >= 0) this.#place(before[slot]!, before[slot + 1]!);
    }
  }

  #place(number: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = (2 * hash) & mask;
    while (this.#slots[slot]! >= 0) slot = (slot + 2) & mask;
    this.#slots[slot] = number;
    this.#slots[slot + 1] = hash;
  }

  word(number: number): string {
    let word = "";
    for (let i = this.#start(number); i < this.#ends[number]!; i++)
      word += String.fromCharCode(this.#letters[i]!);
    return word;
  }
}

/** FNV-1a over UTF-16 units, its high bits folded in. */
function hashOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

function grown<T extends Uint16Array | Int32Array>(array: T, kind: new (length: number) => T): T {
  const larger = new kind(2 * array.length);
  larger.set(array);
  return larger;
}
