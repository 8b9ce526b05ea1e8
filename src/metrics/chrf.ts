import * as v from "valibot";
import { checkOptions, recordOf, type SchemasOf, trueOrFalse, wholeNumber } from "../options.ts";
import { Metric, type MetricScore } from "./metric.ts";
import { matches, ngramCounts } from "./ngram-counts.ts";
import { withoutBlanks, words } from "./whitespace.ts";

export interface ChrfOptions {
  /** The longest n-grams of characters. Default 6. */
  charOrder?: number;
  /** The longest n-grams of words: 2 is chrF++ (Popović 2017). Default 0. */
  wordOrder?: number;
  /** How many times recall weighs what precision does. Default 2. */
  beta?: number;
  /** Default false. */
  lowercase?: boolean;
  /** Count blanks among the characters. Default false. */
  whitespace?: boolean;
  /**
   * Average over all orders, and call those that a side has no n-gram of nearly 0, as chrF++.py and NLTK do; else they are
   * left out. Default false.
   */
  epsSmoothing?: boolean;
}

const schema = recordOf({
  charOrder: v.optional(wholeNumber(0, 32), 6),
  wordOrder: v.optional(wholeNumber(0, 16), 0),
  beta: v.optional(wholeNumber(0, 1000), 2),
  lowercase: v.optional(trueOrFalse(), false),
  whitespace: v.optional(trueOrFalse(), false),
  epsSmoothing: v.optional(trueOrFalse(), false),
} satisfies SchemasOf<ChrfOptions>);

const EPSILON = 1e-16;

/**
 * chrF (Popović 2015): the F-score of n-grams of characters, recall weighing β times what precision does,
 *
 *     chrF = (1 + β²) · P · R / (β² · P + R)
 *
 * with P and R averaged over the orders. Of several references the one counts that gives a sentence the best score.
 * Statistics of a sentence: of each order, n-grams of the hypothesis, of the reference, and matches.
 */
export class CHRF extends Metric {
  readonly #options: v.InferOutput<typeof schema>;

  constructor(options: ChrfOptions = {}) {
    super();
    this.#options = checkOptions("CHRF", schema, options);
  }

  statistics(hypothesis: string, references: readonly string[]): number[] {
    const counts = this.#counts(hypothesis);
    let best: number[] = [];
    let bestScore = -1;
    for (const reference of references) {
      const statistics = this.#counts(reference).flatMap((others, k) => {
        const ofReference = total(others);
        // Where the reference has no n-gram of an order, the hypothesis' are not held against it.
        return [ofReference > 0 ? total(counts[k]!) : 0, ofReference, matches(counts[k]!, others)];
      });
      const { score } = this.score(statistics);
      if (score > bestScore) [best, bestScore] = [statistics, score];
    }
    return best;
  }

  score(statistics: readonly number[]): MetricScore {
    const { epsSmoothing, beta, wordOrder } = this.#options;
    const orders = statistics.length / 3;
    const factor = beta ** 2;
    const fScore = (precision: number, recall: number) =>
      ((1 + factor) * precision * recall) / (factor * precision + recall);
    let sum = 0;
    let effective = 0;
    let [precisions, recalls] = [0, 0];
    for (let k = 0; k < orders; k++) {
      const [ofHypothesis, ofReference, matched] = statistics.slice(3 * k, 3 * k + 3) as [
        number,
        number,
        number,
      ];
      const precision = ofHypothesis > 0 ? matched / ofHypothesis : EPSILON;
      const recall = ofReference > 0 ? matched / ofReference : EPSILON;
      sum += factor * precision + recall > 0 ? fScore(precision, recall) : EPSILON;
      if (ofHypothesis === 0 || ofReference === 0) continue;
      precisions += precision;
      recalls += recall;
      effective++;
    }
    const averaged = precisions + recalls > 0 ? fScore(precisions / effective, recalls / effective) : 0;
    const score = 100 * (epsSmoothing ? sum / orders : averaged);
    return { name: `chrF${beta}${"+".repeat(wordOrder)}`, score };
  }

  #counts(sentence: string): Map<string, number>[] {
    const { charOrder, wordOrder, lowercase, whitespace } = this.#options;
    const line = lowercase ? sentence.toLowerCase() : sentence;
    const characters = [...(whitespace ? line : withoutBlanks(line))];
    const ofCharacters = ngramCounts(characters, charOrder);
    return wordOrder > 0
      ? [...ofCharacters, ...ngramCounts(wordsAndMarks(line), wordOrder, " ")]
      : ofCharacters;
  }

  protected settings(): string[] {
    const { charOrder, wordOrder, lowercase, whitespace, epsSmoothing } = this.#options;
    return [
      `case:${lowercase ? "lc" : "mixed"}`,
      `eff:${epsSmoothing ? "no" : "yes"}`,
      `nc:${charOrder}`,
      `nw:${wordOrder}`,
      `space:${whitespace ? "yes" : "no"}`,
    ];
  }
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

/** chrF++'s words: one mark at the end, else one at the beginning, stands apart. */
function wordsAndMarks(line: string): string[] {
  return words(line).flatMap((word) => {
    const characters = [...word];
    if (characters.length === 1) return word;
    const [first, last] = [characters[0]!, characters.at(-1)!];
    if (/[!-/:-@[-`{-~]/.test(last)) return [word.slice(0, -1), last];
    return /[!-/:-@[-`{-~]/.test(first) ? [first, word.slice(1)] : word;
  });
}
