import * as v from "valibot";
import {
  checkOptions,
  numberIn,
  recordOf,
  type SchemasOf,
  text,
  trueOrFalse,
  wholeNumber,
} from "../../../options.ts";
import type { AddedToken } from "./added-tokens.ts";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import { byteCharacters } from "./byte-level.ts";
import { learnMerges } from "./learn.ts";
import { makeNormalizer } from "./normalizers.ts";
import { makePreTokenizer } from "./pre-tokenizers.ts";

export interface BpeOptions {
  /** How many tokens there shall be; a small text has fewer. Default 8000. */
  vocabularySize?: number;
  /**
   * Symbols are bytes, as GPT-2's: any text has tokens, and blanks are part of words. Else they are the characters of
   * words between blanks (Sennrich et al. 2016), and unknown ones are `<unk>`. Default true.
   */
  byteLevel?: boolean;
  /** Default false. */
  lowercase?: boolean;
  /** Pairs that are rarer are not merged. Default 2. */
  minFrequency?: number;
  /** Tokens that no text has, numbered from 0, e.g. `["<pad>", "<s>", "</s>"]`. Default none. */
  specialTokens?: readonly string[];
}

const schema = recordOf({
  vocabularySize: v.optional(wholeNumber(2, 2 ** 20), 8000),
  byteLevel: v.optional(trueOrFalse(), true),
  lowercase: v.optional(trueOrFalse(), false),
  minFrequency: v.optional(numberIn({ from: 0 }), 2),
  specialTokens: v.optional(
    v.array(v.pipe(text(), v.nonEmpty("must not be empty")), "must be an array of tokens"),
    [],
  ),
} satisfies SchemasOf<BpeOptions>);

/** Past so many different words the rarest are forgotten, so that any text can be counted. */
const MOST_WORDS = 2 ** 21;
const UNKNOWN = "<unk>";
const END_OF_WORD = "</w>";

/** Counts the words of a text that may come in pieces, each ending with a line, and learns sub-words from them. */
export class BpeTrainer {
  readonly ofAll = false;
  readonly #options: v.InferOutput<typeof schema>;
  readonly #normalizer: unknown;
  readonly #preTokenizer: unknown;
  readonly #cut: (text: string) => string[];
  readonly #counts = new Map<string, number>();
  /** Words that occurred this often may have been forgotten. */
  #forgotten = 0;

  constructor(options: BpeOptions = {}) {
    this.#options = checkOptions("bpe", schema, options);
    const { byteLevel, lowercase } = this.#options;
    this.#normalizer = lowercase ? { type: "Lowercase" } : null;
    // A line break is a word of its own, so that lines have the same tokens together and one by one.
    this.#preTokenizer = byteLevel
      ? {
          type: "Sequence",
          pretokenizers: [
            { type: "Split", pattern: { String: "\n" }, behavior: "Isolated", invert: false },
            { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
          ],
        }
      : { type: "WhitespaceSplit" };
    const preTokenize = makePreTokenizer(this.#preTokenizer, "bpe");
    const normalize = lowercase ? makeNormalizer(this.#normalizer, "bpe") : (s: string) => s;
    this.#cut = (piece) => preTokenize(normalize(piece), true);
  }

  add(text: string): void {
    for (const word of this.#cut(text)) this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
    while (this.#counts.size > MOST_WORDS) {
      this.#forgotten++;
      for (const [word, count] of this.#counts) if (count <= this.#forgotten) this.#counts.delete(word);
    }
  }

  tokenizer(): BpeTokenizer {
    const { vocabularySize, byteLevel, minFrequency, specialTokens } = this.#options;
    const special =
      byteLevel || specialTokens.includes(UNKNOWN) ? specialTokens : [UNKNOWN, ...specialTokens];
    const suffix = byteLevel ? undefined : END_OF_WORD;
    const { tokens, merges } = learnMerges(this.#counts, {
      vocabularySize,
      minFrequency,
      specialTokens: special,
      alphabet: byteLevel ? byteCharacters : [],
      endOfWordSuffix: suffix,
    });
    return new BpeTokenizer({
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: special.map(addedToken),
      normalizer: this.#normalizer,
      pre_tokenizer: this.#preTokenizer,
      post_processor: null,
      decoder: byteLevel
        ? { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true }
        : { type: "BPEDecoder", suffix: END_OF_WORD },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: byteLevel ? null : UNKNOWN,
        continuing_subword_prefix: null,
        end_of_word_suffix: suffix ?? null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(tokens.map((token, number) => [token, number])),
        merges,
      },
    });
  }
}

function addedToken(content: string, id: number): AddedToken {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** Sub-words learnt from texts, e.g. `trainBpe([await readFile("book.txt", "utf8")], { vocabularySize: 4000 })`. */
export function trainBpe(texts: Iterable<string>, options: BpeOptions = {}): BpeTokenizer {
  const trainer = new BpeTrainer(options);
  for (const piece of texts) trainer.add(piece);
  return trainer.tokenizer();
}
