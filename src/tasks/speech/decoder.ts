import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import { decodeText } from "../../data/text/text.ts";
import { alignLabels, ctcBestPath, type LabelSpan, wordSpans } from "../../decoding/ctc/alignment.ts";
import { type CtcDecodingOptions, ctcBeamSearch } from "../../decoding/ctc/beam-search.ts";
import { Lexicon } from "../../decoding/ctc/lexicon.ts";
import { OptionError } from "../../errors.ts";
import { readFile } from "../../io/files.ts";
import { ctcLoss } from "../../ops/ctc-loss.ts";
import { numberIn, oneOf, text, wholeNumber } from "../../options.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Alphabet } from "./alphabet.ts";
import type { SpokenLanguageModel } from "./language-model.ts";

/** How labels become a text. */
export interface DecodingOptions {
  /**
   * Prefixes that a beam search keeps. Default 50 with a language model or lexicon; without either it is the best path
   * that is taken, and no search made.
   */
  beam?: number | undefined;
  /** A model of words or characters: an n-gram file `*.arpa`, the folder of a model, a `LanguageModel` or an `NgramModel`. */
  lm?: string | SpokenLanguageModel | undefined;
  /** What the tokens of a file `*.arpa` are. Default "word". */
  lmUnit?: "word" | "char" | undefined;
  /** What the language model's logarithms are multiplied by. Default 1. */
  lmWeight?: number | undefined;
  /** Added for each word, or each label where these are the language model's tokens. Default 0. */
  insertionBonus?: number | undefined;
  /** The only words there are: a list, or a file with one in each line, what follows it being passed over. */
  lexicon?: string | readonly string[] | undefined;
}

/** The schemas of `DecodingOptions`, for others to add theirs to. */
export const decodingEntries = {
  beam: v.optional(wholeNumber(1, 100_000)),
  lm: v.optional(
    v.custom<string | SpokenLanguageModel>(
      (x) =>
        (typeof x === "string" && x !== "") || (x as SpokenLanguageModel | null)?.tokenizer !== undefined,
      "must be a file *.arpa, the folder of a language model, a LanguageModel or an NgramModel",
    ),
  ),
  lmUnit: v.optional(oneOf(["word", "char"])),
  lmWeight: v.optional(numberIn({ from: 0 })),
  insertionBonus: v.optional(numberIn({})),
  lexicon: v.optional(v.union([text(), v.array(text())], "must be a file, or an array of words")),
};

const MAX_LEXICON = 2 ** 28;

/** A text that may have been said. */
export interface Hypothesis {
  labels: number[];
  text: string;
  /** ln P(labels | sound); of a beam search, of the paths that stayed in it. */
  logProbability: number;
  /** What it is ranked by. */
  score: number;
}

/** A word, the steps it takes, and how sure the network was of it. */
export interface StepsOfWord {
  word: string;
  from: number;
  to: number;
  confidence: number;
}

/** Finds the texts that log-probabilities of labels stand for. */
export class Decoder {
  readonly #alphabet: Alphabet;
  /** Undefined for the best path. */
  readonly #search: CtcDecodingOptions | undefined;

  private constructor(alphabet: Alphabet, search: CtcDecodingOptions | undefined) {
    this.#alphabet = alphabet;
    this.#search = search;
  }

  /** Reads language model and lexicon. */
  static async open(where: string, alphabet: Alphabet, options: DecodingOptions): Promise<Decoder> {
    const { lm, lexicon, beam, lmWeight, insertionBonus } = options;
    for (const name of ["lmUnit", "lmWeight"] as const) {
      if (options[name] !== undefined && lm === undefined) {
        throw new OptionError(`${where}: ${name} is for \`lm\`, and there is none`);
      }
    }
    if (lm === undefined && lexicon === undefined && beam === undefined) {
      if (insertionBonus !== undefined) {
        throw new OptionError(
          `${where}: insertionBonus is for a search, and there is no \`beam\`, \`lm\` or \`lexicon\``,
        );
      }
      return new Decoder(alphabet, undefined);
    }
    if (lexicon !== undefined && alphabet.unit === "word") {
      throw new OptionError(
        `${where}: lexicon is for models of characters, the labels of this one are words`,
      );
    }
    const { labels, unit } = alphabet;
    if (insertionBonus !== undefined && unit === "word" && lm === undefined) {
      throw new OptionError(
        `${where}: insertionBonus is for models of characters, or beside \`lm\`: each label of this one is a word`,
      );
    }
    // Words that are labels are spelt with the blank that follows them.
    const spelling = unit === "word" ? labels.map((label) => label && `${label} `) : labels;
    const search: CtcDecodingOptions = { alphabet: spelling, beam, weight: lmWeight, insertionBonus };
    if (lm !== undefined) {
      // Loaded when it is needed: a page that uses none need not have it.
      const { ctcLanguageModel } = await import("./language-model.ts");
      search.languageModel = await ctcLanguageModel(where, alphabet, lm, options.lmUnit);
    }
    if (lexicon !== undefined) search.lexicon = new Lexicon(await wordsOf(lexicon), labels);
    return new Decoder(alphabet, search);
  }

  /** What a beam search is made with; undefined for the best path. */
  get search(): CtcDecodingOptions | undefined {
    return this.#search;
  }

  /** The n best texts of log-probabilities [T, classes], the best first. */
  hypotheses(logProbs: Float32Array, n = 1): Hypothesis[] {
    const alphabet = this.#alphabet;
    if (this.#search) {
      return ctcBeamSearch(logProbs, this.#search, n).map(({ labels, logProbability, score }) => {
        return { labels, text: alphabet.spell(labels), logProbability, score };
      });
    }
    const labels = ctcBestPath(logProbs, alphabet.labels.length).map(({ label }) => label);
    const logProbability = labelsLogProb(logProbs, labels, alphabet.labels.length);
    return [{ labels, text: alphabet.spell(labels), logProbability, score: logProbability }];
  }

  /** The words of labels, and where they are. */
  words(logProbs: Float32Array, labels: readonly number[]): StepsOfWord[] {
    const { labels: names, unit } = this.#alphabet;
    const spans: LabelSpan[] = alignLabels(logProbs, names.length, labels);
    if (unit === "char") return wordSpans(spans, names);
    return spans.map(({ label, from, to, probability }) => {
      return { word: names[label]!, from, to, confidence: probability };
    });
  }
}

/** ln P of labels, over all paths. */
function labelsLogProb(logProbs: Float32Array, labels: readonly number[], classes: number): number {
  const T = logProbs.length / classes;
  const { loss } = step(() =>
    noGrad(() => {
      const targets = tensor(Int32Array.from(labels.length > 0 ? labels : [1]), [
        1,
        Math.max(1, labels.length),
      ]);
      const [frames, count] = [T, labels.length].map((length) => tensor(Int32Array.of(length)));
      const logits = tensor(logProbs, [T, 1, classes]);
      return { loss: ctcLoss(logits, targets, frames!, count!, { reduction: "sum" }) };
    }),
  );
  return -loss.item();
}

async function wordsOf(lexicon: string | readonly string[]): Promise<readonly string[]> {
  if (typeof lexicon !== "string") return lexicon;
  const content = decodeText(await readFile(lexicon, MAX_LEXICON), lexicon);
  // A(2), a second pronunciation, is the word A.
  const words = content.split("\n").map((line) =>
    line
      .trim()
      .split(/\s/)[0]!
      .replace(/\(\d+\)$/, ""),
  );
  return [...new Set(words.filter((word) => word !== "" && !/^<.*>$/.test(word)))];
}
