import { WordTable } from "../data/text/word-table.ts";
import { FormatError } from "../errors.ts";
import { appendLevel, type Columns, Level } from "./arpa-level.ts";
import { SENTENCE_START } from "./spelling.ts";
import { NEVER, NgramTable } from "./table.ts";
import { findChild, levels } from "./trie.ts";

/** More orders than this, or n-grams in all, are no model. */
const MAX_ORDER = 20;
const MAX_NGRAMS = 2 ** 30;

/** The words in the order of their numbers; `<s>`, which is never predicted, comes after the last. */
export interface ArpaModel {
  words: string[];
  table: NgramTable;
}

/**
 * Reads a model in the ARPA format from pieces of text that end with lines. Whatever is wrong is named by its line.
 * `leading` are words that get the first numbers, whether the file has them or not.
 */
export async function readArpa(
  pieces: AsyncIterable<string> | Iterable<string>,
  where: string,
  leading: readonly string[] = [],
): Promise<ArpaModel> {
  const reader = new ArpaReader(where, leading);
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      const found = piece.indexOf("\n", from);
      const to = found < 0 ? piece.length : found;
      reader.line(piece, from, to);
      from = to + 1;
    }
  }
  return reader.end();
}

/** Reads line by line; every line of the n-grams hangs its last word on the node of the others. */
class ArpaReader {
  readonly #where: string;
  readonly #leading: number;
  readonly #vocabulary: WordTable;
  /** Which words have been listed; `<s>` apart, since its number is the last. */
  readonly #listed = new Set<number>();
  #start = { logProb: NEVER, backoff: 0, listed: false };
  #number = 0;
  #part: "before" | "counts" | "n-grams" | "after" = "before";
  /** How many n-grams of each order the header announces. */
  readonly #announced: number[] = [];
  #level = new Level();
  #sizes: number[] = [];
  #columns: Columns = {
    words: Int32Array.of(-1),
    first: Int32Array.of(1),
    logProbs: new Float32Array(1),
    backoffs: new Float32Array(1),
  };
  /** Where the fields of a line begin and end. */
  readonly #fields = new Int32Array(2 * (MAX_ORDER + 3));
  /** The words of the line before and the nodes they led to: much of the next line is the same. */
  readonly #path = { words: new Int32Array(MAX_ORDER), nodes: new Int32Array(MAX_ORDER), length: 0 };

  constructor(where: string, leading: readonly string[]) {
    this.#where = where;
    this.#leading = leading.length;
    this.#vocabulary = new WordTable(leading);
  }

  line(text: string, from: number, to: number): void {
    this.#number++;
    const count = this.#split(text, from, to);
    if (count === 0) return;
    if (text[this.#fields[0]!] === "\\") this.#mark(text.slice(from, to).trim());
    else if (this.#part === "counts") this.#announce(text.slice(from, to).trim());
    else if (this.#part === "n-grams") this.#ngram(text, count);
  }

  end(): ArpaModel {
    if (this.#part === "before")
      throw new FormatError(`${this.#where}: has no \\data\\, with which an ARPA file begins`);
    if (this.#part !== "after") throw this.#problem("the file ends without \\end\\", "it is truncated");
    const vocabularySize = this.#sizes[0]! - 1;
    const words = Array.from({ length: vocabularySize }, (_, word) => this.#vocabulary.word(word));
    return { words, table: new NgramTable({ vocabularySize, sizes: this.#sizes, ...this.#columns }) };
  }

  #problem(message: string, hint?: string, line = this.#number): FormatError {
    return new FormatError(`${this.#where}: line ${line}: ${message}`, hint === undefined ? {} : { hint });
  }

  /** Finds the fields of a line; more than there may be are counted no further. */
  #split(text: string, from: number, to: number): number {
    const fields = this.#fields;
    let count = 0;
    let inside = false;
    for (let at = from; at <= to; at++) {
      const unit = at < to ? text.charCodeAt(at) : 32;
      const blank = unit === 32 || unit === 9;
      if (blank !== inside) continue;
      if (inside) fields[count++] = at;
      else if (count + 2 > fields.length) break;
      else fields[count++] = at;
      inside = !inside;
    }
    return count / 2;
  }

  /** A line that begins a part. */
  #mark(line: string): void {
    if (this.#part === "before") {
      if (line === "\\data\\") this.#part = "counts";
      return;
    }
    if (this.#part === "after") return;
    if (this.#part === "n-grams") this.#closeLevel();
    this.#part = "n-grams";
    const n = this.#sizes.length + 1;
    const expected = n > this.#announced.length ? "\\end\\" : `\\${n}-grams:`;
    if (this.#announced.length === 0) throw this.#problem("\\data\\ must announce n-grams, got none");
    if (line !== expected) throw this.#problem(`must be ${expected}, got ${excerpt(line)}`);
    if (line === "\\end\\") this.#part = "after";
  }

  #announce(line: string): void {
    const [, n, size] = /^ngram\s+(\d+)\s*=\s*(\d+)$/.exec(line) ?? [];
    const expected = this.#announced.length + 1;
    if (Number(n) !== expected) throw this.#problem(`must be ngram ${expected}=COUNT, got ${excerpt(line)}`);
    if (expected > MAX_ORDER) throw this.#problem(`orders up to ${MAX_ORDER} are read, got ${n}`);
    this.#announced.push(Number(size));
    if (this.#announced.reduce((sum, count) => sum + count, 0) > MAX_NGRAMS) {
      throw this.#problem(`at most ${MAX_NGRAMS} n-grams are read, got ${size} of order ${n}`);
    }
  }

  #ngram(text: string, count: number): void {
    const n = this.#sizes.length + 1;
    const most = n < this.#announced.length ? n + 2 : n + 1;
    if (count < n + 1 || count > most) {
      const backoff = most > n + 1 ? " and perhaps a back-off weight" : "";
      throw this.#problem(
        `must have log10 P, ${n === 1 ? "a word" : `${n} words`}${backoff}, got ${count} fields`,
      );
    }
    const logProb = this.#decimal(text, 0, "log10 P");
    if (logProb > 0) throw this.#problem(`log10 P must be 0 or less, got ${logProb}`);
    const backoff = count > n + 1 ? this.#decimal(text, n + 1, "the back-off weight") : 0;
    if (n === 1) this.#unigram(text, logProb, backoff);
    else this.#level.add(this.#context(text, n), this.#word(text, n), logProb, backoff, this.#number);
  }

  #field(text: string, i: number): string {
    return text.slice(this.#fields[2 * i], this.#fields[2 * i + 1]);
  }

  #decimal(text: string, i: number, what: string): number {
    const field = this.#field(text, i);
    const value = /^[-+.\d]/.test(field) ? Number(field) : Number.NaN;
    if (!Number.isFinite(Math.fround(value)))
      throw this.#problem(`${what} must be a number, got ${excerpt(field)}`);
    return value;
  }

  #unigram(text: string, logProb: number, backoff: number): void {
    const [from, to] = [this.#fields[2]!, this.#fields[3]!];
    const isStart = text.slice(from, to) === SENTENCE_START;
    let word = isStart ? -1 : this.#vocabulary.find(text, from, to);
    const known = isStart ? this.#start.listed : word >= this.#leading || this.#listed.has(word);
    if (known) throw this.#problem(`${excerpt(text.slice(from, to))} is there already`);
    if (isStart) {
      this.#start = { logProb, backoff, listed: true };
      return;
    }
    if (word < 0) word = this.#vocabulary.add(text, from, to);
    else this.#listed.add(word);
    this.#level.add(0, word, logProb, backoff, this.#number);
  }

  /** The number of the i-th word of a line. */
  #word(text: string, i: number): number {
    const word = this.#vocabulary.find(text, this.#fields[2 * i]!, this.#fields[2 * i + 1]!);
    if (word < 0) throw this.#problem(`${excerpt(this.#field(text, i))} is not among the 1-grams`);
    return word;
  }

  /** The node of all words of a line but the last. */
  #context(text: string, n: number): number {
    const { words, nodes } = this.#path;
    let same = true;
    let node = 0;
    for (let i = 0; i < n - 1; i++) {
      const word = this.#word(text, i + 1);
      same &&= i < this.#path.length && words[i] === word;
      if (!same) {
        words[i] = word;
        nodes[i] = findChild(this.#columns, node, word);
        this.#path.length = i + 1;
        if (nodes[i] === 0) {
          this.#path.length = 0;
          const beginning = Array.from({ length: i + 1 }, (_, k) => this.#field(text, k + 1)).join(" ");
          throw this.#problem(`${excerpt(beginning)}, with which it begins, is not among the ${i + 1}-grams`);
        }
      }
      node = nodes[i]!;
    }
    return node;
  }

  /** All n-grams of an order are there: they become nodes. */
  #closeLevel(): void {
    const n = this.#sizes.length + 1;
    const got = this.#level.size + (n === 1 && this.#start.listed ? 1 : 0);
    const announced = this.#announced[n - 1]!;
    if (got !== announced) {
      throw this.#problem(`there must be ${announced} ${n}-grams before it, as the header says, got ${got}`);
    }
    if (n === 1) this.#completeUnigrams();
    const starts = levels(this.#sizes);
    const parents = starts.at(-2)!;
    const level = this.#level.sorted(starts.at(-1)!, this.#vocabulary.size);
    const twice = level.twice();
    if (twice !== undefined) throw this.#problem("the n-gram is there already", undefined, twice);
    this.#columns = appendLevel(this.#columns, level, { parents, last: n === this.#announced.length });
    this.#sizes.push(level.size);
    this.#level = new Level();
    this.#path.length = 0;
  }

  /** The leading words that the file does not have, and `<s>` behind all others. */
  #completeUnigrams(): void {
    for (let word = 0; word < this.#leading; word++) {
      if (!this.#listed.has(word)) this.#level.add(0, word, NEVER, 0, 0);
    }
    const start = this.#vocabulary.add(SENTENCE_START, 0, SENTENCE_START.length);
    this.#level.add(0, start, this.#start.logProb, this.#start.backoff, 0);
  }
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}
