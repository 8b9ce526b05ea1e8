import { DataError } from "../../errors.ts";
import { decodeAll, symbolOf, TOKENIZER_VERSION, type TokenDecoder, type Tokenizer } from "./tokenizer.ts";
import { EOS, separator, splitWords, UNK, type WordSplit } from "./words.ts";

export interface WordOptions {
  /** How text becomes words; default "whitespace". */
  split?: WordSplit;
  /** Default false. */
  lowercase?: boolean;
}

export interface VocabularyOptions extends WordOptions {
  /** Rarer words become `<unk>`. Default 1 for a text that has `<unk>` in it already, else 2. */
  minCount?: number;
  /** The most words the vocabulary may hold, `<unk>` and `<eos>` among them; the frequent ones stay. */
  maxVocabulary?: number;
}

/** One token a word. Token 0 is `<unk>`, token 1 is `<eos>`, the line break; then the words, frequent ones first. */
export class WordTokenizer implements Tokenizer {
  readonly unit = "word";
  readonly unknown = 0;
  readonly lineBreak = 1;
  readonly words: readonly string[];
  readonly split: WordSplit;
  readonly lowercase: boolean;
  readonly #tokens: Map<string, number>;

  constructor(words: readonly string[], { split = "whitespace", lowercase = false }: WordOptions = {}) {
    this.words = words;
    this.split = split;
    this.lowercase = lowercase;
    this.#tokens = new Map(words.map((word, token) => [word, token]));
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
    const words = splitWords(this.lowercase ? text.toLowerCase() : text, this.split);
    return Int32Array.from(words, (word) => this.#tokens.get(word) ?? this.unknown);
  }

  decode(tokens: ArrayLike<number>): string {
    return decodeAll(this.decoder(), tokens);
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
    const { unit, split, lowercase, words } = this;
    return { formatVersion: TOKENIZER_VERSION, unit, split, lowercase, words };
  }
}

/** Counts the words of a text, which may come in pieces that end with a line. */
export class WordCounts {
  readonly #options: VocabularyOptions;
  readonly #most: number;
  readonly #counts = new Map<string, number>();
  /** Whether the text has `<unk>` in it, as the Penn Treebank does: its rare words are gone already. */
  #hasUnknown = false;
  /** Words that occurred this often may have been forgotten. */
  #forgotten = 0;

  /** `most`: past this many different words the rarest are forgotten, so that any text can be counted. */
  constructor(options: VocabularyOptions = {}, most = 2 ** 21) {
    this.#options = options;
    this.#most = most;
  }

  add(text: string): void {
    const { split = "whitespace", lowercase = false } = this.#options;
    const counts = this.#counts;
    for (const word of splitWords(lowercase ? text.toLowerCase() : text, split)) {
      const count = counts.get(word);
      if (count !== undefined) counts.set(word, count + 1);
      else if (word === UNK) this.#hasUnknown = true;
      else if (word !== EOS) counts.set(ownString(word), 1);
    }
    while (counts.size > this.#most) this.#forget();
  }

  /** Drops the rarest words, as word2vec does (Mikolov et al. 2013): what is frequent stays, counted a little low. */
  #forget(): void {
    this.#forgotten++;
    for (const [word, count] of this.#counts) if (count <= this.#forgotten) this.#counts.delete(word);
  }

  tokenizer(): WordTokenizer {
    const {
      split = "whitespace",
      lowercase = false,
      maxVocabulary = Number.POSITIVE_INFINITY,
    } = this.#options;
    const { minCount = this.#hasUnknown ? 1 : 2 } = this.#options;
    const words = [...this.#counts]
      .filter(([, count]) => count >= minCount)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, Math.max(0, maxVocabulary - 2))
      .map(([word]) => word);
    if (words.length === 0) {
      throw new DataError(
        `text: no word is left: none of ${this.#counts.size} occurs ${minCount} times or more`,
        { hint: "lower minCount" },
      );
    }
    return new WordTokenizer([UNK, EOS, ...words], { split, lowercase });
  }
}

/** A copy that does not keep the text alive that the word was cut from. */
function ownString(word: string): string {
  return word.length < 13 ? word : ` ${word}`.slice(1);
}
