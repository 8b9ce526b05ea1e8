import { DataError } from "../../errors.ts";

/** The words that may be recognised, as a tree of their labels; node 0 is where words begin. */
export class Lexicon {
  /** Under node · V + label, the node that follows. */
  readonly #next = new Map<number, number>();
  readonly #ends = new Set<number>();
  readonly #size: number;
  #nodes = 1;

  /** Words are spelt in labels of the alphabet, each a single character or a longer string; the longest fits first. */
  constructor(words: Iterable<string>, alphabet: readonly string[]) {
    this.#size = alphabet.length;
    const labels = new Map(alphabet.map((text, label) => [text, label]));
    labels.delete("");
    const longest = Math.max(0, ...Array.from(labels.keys(), (text) => text.length));
    for (const word of words) this.#add(word, labels, longest);
  }

  #add(word: string, labels: ReadonlyMap<string, number>, longest: number): void {
    let node = 0;
    for (let at = 0; at < word.length; ) {
      let length = Math.min(longest, word.length - at);
      while (length > 0 && !labels.has(word.slice(at, at + length))) length--;
      if (length === 0) {
        throw new DataError(
          `lexicon: ${JSON.stringify(word)} must be spelt in the alphabet, which lacks ${JSON.stringify(word[at])}`,
        );
      }
      const key = node * this.#size + labels.get(word.slice(at, at + length))!;
      node = this.#next.get(key) ?? this.#nodes++;
      this.#next.set(key, node);
      at += length;
    }
    if (node > 0) this.#ends.add(node);
  }

  /** The node after a label, or −1 where no word goes on so. */
  step(node: number, label: number): number {
    return this.#next.get(node * this.#size + label) ?? -1;
  }

  /** Whether a word may end here. */
  isWord(node: number): boolean {
    return this.#ends.has(node);
  }
}
