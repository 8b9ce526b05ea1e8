import { DataError } from "../../errors.ts";
import { decodeAll, symbolOf, TOKENIZER_VERSION, type TokenDecoder, type Tokenizer } from "./tokenizer.ts";
import { WordTable } from "./word-table.ts";
import { EOS, separator, splitWords, UNK, visitWords, type WordSplit } from "./words.ts";

export interface WordOptions {
  /** How text becomes words; default "whitespace". */
  split?: WordSplit;
  /** Default false. */
  lowercase?: boolean;
  /** How many words `<unk>` stands for, where each has an even share of its probability. */
  rareWords?: number | undefined;
}

export interface VocabularyOptions extends WordOptions {
  /** Rarer words become `<unk>`. Default 1 for a text that has `<unk>` in it already, else 2. */
  minCount?: number;
  /** The most words the vocabulary may hold, `<unk>` and `<eos>` among them; the frequent ones stay. */
  maxVocabulary?: number;
  /** Whether the rarer words share the probability of `<unk>` evenly; default false. */
  shareRare?: boolean;
}

/** One token a word. Token 0 is `<unk>`, token 1 is `<eos>`, the line break; then the words, frequent ones first. */
export class WordTokenizer implements Tokenizer {
  readonly unit = "word";
  readonly unknown = 0;
  readonly lineBreak = 1;
  readonly words: readonly string[];
  readonly split: WordSplit;
  readonly lowercase: boolean;
  readonly rareWords: number | undefined;
  readonly #table: WordTable;

  constructor(
    words: readonly string[],
    { split = "whitespace", lowercase = false, rareWords }: WordOptions = {},
  ) {
    this.words = words;
    this.split = split;
    this.lowercase = lowercase;
    this.rareWords = rareWords;
    this.#table = new WordTable(words);
  }

  /** The vocabulary of a training text. */
  static of(text: string, options: VocabularyOptions = {}): WordTokenizer {
    const counts = new WordCounts(options);
    counts.add(text);
    return counts.tokenizer();
  }

  get size(): number {
    return this.words.length;
  }

  encode(text: string): Int32Array {
    // Lower case may be longer; there are no more words than letters.
    const source = this.lowercase ? text.toLowerCase() : text;
    const tokens = new Int32Array(source.length);
    let count = 0;
    visitWords(source, this.split, (words, from, to) => {
      const token = this.#table.find(words, from, to);
      tokens[count++] = token < 0 ? this.unknown : token;
    });
    return tokens.slice(0, count);
  }

  decode(tokens: ArrayLike<number>): string {
    return decodeAll(this.decoder(), tokens);
  }

  name(token: number): string {
    return symbolOf(this.words, token);
  }

  decoder(after = ""): TokenDecoder {
    let before = /\S$/.test(after) ? splitWords(after, this.split).at(-1) : undefined;
    return {
      push: (token) => {
        const word = symbolOf(this.words, token);
        const lineBreak = token === this.lineBreak;
        const gap = before === undefined || lineBreak ? "" : separator(before, word, this.split);
        before = lineBreak ? undefined : word;
        return lineBreak ? "\n" : gap + word;
      },
      end: () => "",
    };
  }

  toJSON(): Record<string, unknown> {
    const { unit, split, lowercase, rareWords, words } = this;
    const shared = rareWords !== undefined && { rareWords };
    return { formatVersion: TOKENIZER_VERSION, unit, split, lowercase, ...shared, words };
  }
}

/** Counts the words of a text, which may come in pieces that end with a line. */
export class WordCounts {
  readonly ofAll = false;
  readonly #options: VocabularyOptions;
  readonly #most: number;
  /** `<unk>`, `<eos>`, and the words in the order in which they first came. */
  #words = new WordTable([UNK, EOS]);
  #counts = [0, 0];
  /** Words that occurred this often may have been forgotten. */
  #forgotten = 0;

  /** `most`: past this many different words the rarest are forgotten, so that any text can be counted. */
  constructor(options: VocabularyOptions = {}, most = 2 ** 21) {
    this.#options = options;
    this.#most = most;
  }

  add(text: string): void {
    const { split = "whitespace", lowercase = false } = this.#options;
    const [words, counts] = [this.#words, this.#counts];
    visitWords(lowercase ? text.toLowerCase() : text, split, (source, from, to) => {
      const number = words.find(source, from, to);
      if (number >= 0) counts[number]!++;
      else counts[words.add(source, from, to)] = 1;
    });
    while (this.#words.size > this.#most) this.#forget();
  }

  /** Drops the rarest words, as word2vec does (Mikolov et al. 2013): what is frequent stays, counted a little low. */
  #forget(): void {
    this.#forgotten++;
    const [words, counts] = [this.#words, this.#counts];
    this.#words = new WordTable([UNK, EOS]);
    this.#counts = counts.slice(0, 2);
    for (let number = 2; number < words.size; number++) {
      if (counts[number]! <= this.#forgotten) continue;
      const word = words.word(number);
      this.#counts[this.#words.add(word, 0, word.length)] = counts[number]!;
    }
  }

  tokenizer(): WordTokenizer {
    const {
      split = "whitespace",
      lowercase = false,
      maxVocabulary = Number.POSITIVE_INFINITY,
    } = this.#options;
    // A text that has <unk> in it has lost its rare words already.
    const { minCount = this.#counts[0]! > 0 ? 1 : 2 } = this.#options;
    const words: [word: string, count: number][] = [];
    for (let number = 2; number < this.#words.size; number++) {
      const count = this.#counts[number]!;
      if (count >= minCount) words.push([this.#words.word(number), count]);
    }
    if (words.length === 0) {
      throw new DataError(
        `text: no word is left: none of ${this.#words.size - 2} occurs ${minCount} times or more`,
        { hint: "lower minCount" },
      );
    }
    words.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    const kept = words.slice(0, Math.max(0, maxVocabulary - 2)).map(([word]) => word);
    // Words that are not kept and, where the text has it itself, <unk>.
    const rareWords = this.#words.size - 2 - kept.length + Number(this.#counts[0]! > 0);
    const shared = this.#options.shareRare && rareWords > 0 && { rareWords };
    return new WordTokenizer([UNK, EOS, ...kept], { split, lowercase, ...shared });
  }
}
