import * as v from "valibot";
import { FormatError } from "../../../errors.ts";
import { checkContent, recordOf, text } from "../../../options.ts";
import type { TokenDecoder, Tokenizer } from "../tokenizer.ts";
import { tokenizerFromJSON } from "../tokenizer-json.ts";
import { type VocabularyOptions, WordTokenizer } from "../word-tokenizer.ts";
import { detokenize } from "./detokenize.ts";
import { tokenizeSentence } from "./tokenize.ts";
import { capitalize, Truecaser } from "./truecaser.ts";

const schema = recordOf({ language: text(), words: v.unknown(), truecaser: v.optional(v.unknown()) });

/**
 * Words as `tokenizeSentence` cuts a sentence of a language, in lower case or truecased; what is decoded is detokenized, and
 * begins with a capital if it was truecased.
 */
export class MosesTokenizer implements Tokenizer {
  readonly unit = "word";
  readonly lineBreak = undefined;
  readonly language: string;
  readonly #words: WordTokenizer;
  readonly #truecaser: Truecaser | undefined;

  private constructor(language: string, words: WordTokenizer, truecaser: Truecaser | undefined) {
    this.language = language;
    this.#words = words;
    this.#truecaser = truecaser;
  }

  /** The vocabulary of some sentences. */
  static of(
    sentences: readonly string[],
    language: string,
    options: Omit<VocabularyOptions, "split">,
  ): MosesTokenizer {
    const cut = sentences.map((sentence) => tokenizeSentence(sentence, language));
    const truecaser = options.lowercase ? undefined : Truecaser.train(cut);
    const lines = cut.map((words) => (truecaser ? truecaser.apply(words) : words).join(" "));
    return new MosesTokenizer(language, WordTokenizer.of(lines.join("\n"), options), truecaser);
  }

  /** What `toJSON` described; `file` names its origin in an error. */
  static async fromJSON(json: unknown, file: string): Promise<MosesTokenizer> {
    const { language, words, truecaser } = checkContent(file, schema, json);
    const read = await tokenizerFromJSON(words, `${file}: words`);
    if (!(read instanceof WordTokenizer)) {
      throw new FormatError(`${file}: words: unit must be word, got ${read.unit}`);
    }
    return new MosesTokenizer(
      language,
      read,
      truecaser === undefined ? undefined : Truecaser.fromJSON(truecaser, `${file}: truecaser`),
    );
  }

  get size(): number {
    return this.#words.size;
  }

  get unknown(): number {
    return this.#words.unknown;
  }

  /** The words of a sentence, one a token. */
  wordsOf(sentence: string): string[] {
    const words = tokenizeSentence(sentence, this.language);
    return this.#truecaser ? this.#truecaser.apply(words) : words;
  }

  encode(sentence: string): Int32Array {
    return this.#words.encode(this.wordsOf(sentence).join(" "));
  }

  decode(tokens: ArrayLike<number>): string {
    const text = detokenize(
      Array.from(tokens, (token) => this.name(token)),
      this.language,
    );
    return this.#truecaser ? capitalize(text) : text;
  }

  name(token: number): string {
    return this.#words.name(token);
  }

  /** All of it in the end: what stands beside a mark depends on what comes after it. */
  decoder(): TokenDecoder {
    const tokens: number[] = [];
    return {
      push(token) {
        tokens.push(token);
        return "";
      },
      end: () => this.decode(tokens),
    };
  }

  toJSON(): Record<string, unknown> {
    const truecaser = this.#truecaser && { truecaser: this.#truecaser.toJSON() };
    return { language: this.language, words: this.#words.toJSON(), ...truecaser };
  }
}
