import * as v from "valibot";
import {
  checkOptions,
  numberIn,
  oneOf,
  recordOf,
  type SchemasOf,
  trueOrFalse,
  wholeNumber,
} from "../options.ts";
import { type BleuTokenizer, bleuTokenizers, tokenizeForBleu } from "./bleu-tokenizers.ts";
import { Metric, type MetricScore } from "./metric.ts";
import { matches, ngramCounts } from "./ngram-counts.ts";
import { trimEnd } from "./whitespace.ts";

export const bleuSmoothings = ["exp", "floor", "add-k", "none"] as const;

export interface BleuOptions {
  /**
   * How sentences are cut: "13a" as WMT does, "intl" by Unicode's categories, "zh" Chinese by characters and the rest as
   * 13a, "char", or "none" at blanks. Default "13a".
   */
  tokenize?: BleuTokenizer;
  /** Default false. */
  lowercase?: boolean;
  /**
   * What stands for a precision of 0 (Chen and Cherry 2014): "exp" halves with each of them, "floor" counts smoothValue
   * matches, "add-k" adds smoothValue to matches and n-grams from the second order on; "none". Default "exp".
   */
  smooth?: (typeof bleuSmoothings)[number];
  /** Default 0.1 of floor, 1 of add-k. */
  smoothValue?: number;
  /** Stop at the last order of which the hypothesis has an n-gram: for single sentences. Default false. */
  effectiveOrder?: boolean;
  /** The longest n-grams. Default 4. */
  maxOrder?: number;
}

export interface BleuScore extends MetricScore {
  /** In per cent, of the orders 1 … maxOrder. */
  precisions: number[];
  /** The brevity penalty, 0 to 1. */
  brevityPenalty: number;
  hypothesisLength: number;
  referenceLength: number;
}

const schema = recordOf({
  tokenize: v.optional(oneOf(bleuTokenizers), "13a"),
  lowercase: v.optional(trueOrFalse(), false),
  smooth: v.optional(oneOf(bleuSmoothings), "exp"),
  smoothValue: v.optional(numberIn({ from: 0 })),
  effectiveOrder: v.optional(trueOrFalse(), false),
  maxOrder: v.optional(wholeNumber(1, 16), 4),
} satisfies SchemasOf<BleuOptions>);

/**
 * BLEU (Papineni et al. 2002): with p_n the part of the hypothesis' n-grams that a reference has too, c the length of the
 * hypotheses and r that of the references nearest to it,
 *
 *     BLEU = min(1, e^(1 − r/c)) · exp(Σ_n ln p_n / N)
 *
 * Of raw, detokenized sentences. Statistics of a sentence: c, r, then matches of each order, then n-grams of each.
 */
export class BLEU extends Metric<BleuScore> {
  readonly #options: v.InferOutput<typeof schema>;

  constructor(options: BleuOptions = {}) {
    super();
    this.#options = checkOptions("BLEU", schema, options);
  }

  statistics(hypothesis: string, references: readonly string[]): number[] {
    const { maxOrder } = this.#options;
    const tokens = this.#tokens(hypothesis);
    const lengths: number[] = [];
    const most = Array.from({ length: maxOrder }, () => new Map<string, number>());
    for (const reference of references) {
      const others = this.#tokens(reference);
      lengths.push(others.length);
      for (const [k, counts] of ngramCounts(others, maxOrder, " ").entries()) {
        for (const [ngram, count] of counts) most[k]!.set(ngram, Math.max(count, most[k]!.get(ngram) ?? 0));
      }
    }
    const counts = ngramCounts(tokens, maxOrder, " ");
    return [
      tokens.length,
      nearest(tokens.length, lengths),
      ...counts.map((ofOrder, k) => matches(ofOrder, most[k]!)),
      ...counts.map((_, k) => Math.max(0, tokens.length - k)),
    ];
  }

  score(statistics: readonly number[]): BleuScore {
    const { maxOrder, smooth, effectiveOrder } = this.#options;
    const [hypothesisLength, referenceLength] = statistics as [number, number];
    const matched = statistics.slice(2, 2 + maxOrder);
    const totals = statistics.slice(2 + maxOrder);
    const precisions = new Array<number>(maxOrder).fill(0);
    const brevityPenalty =
      hypothesisLength >= referenceLength ? 1 : Math.exp(1 - referenceLength / hypothesisLength);
    const facts = { precisions, brevityPenalty, hypothesisLength, referenceLength };
    if (matched.every((count) => count === 0)) return { name: "BLEU", score: 0, ...facts };
    let halved = 1;
    let order = maxOrder;
    for (let k = 0; k < maxOrder; k++) {
      const added = smooth === "add-k" && k > 0 ? this.#smoothValue : 0;
      const total = totals[k]! + added;
      let count = matched[k]! + added;
      if (total === 0) break;
      if (effectiveOrder) order = k + 1;
      if (count === 0 && smooth === "exp") {
        halved /= 2;
        count = halved;
      }
      if (count === 0 && smooth === "floor") count = this.#smoothValue;
      precisions[k] = (100 * count) / total;
    }
    const used = precisions.slice(0, order);
    const logarithms = used.reduce((sum, precision) => sum + Math.log(precision), 0);
    return { name: "BLEU", score: brevityPenalty * Math.exp(logarithms / order), ...facts };
  }

  get #smoothValue(): number {
    const { smooth, smoothValue } = this.#options;
    return smoothValue ?? (smooth === "add-k" ? 1 : 0.1);
  }

  #tokens(sentence: string): string[] {
    const { lowercase, tokenize } = this.#options;
    return tokenizeForBleu(trimEnd(lowercase ? sentence.toLowerCase() : sentence), tokenize);
  }

  protected settings(): string[] {
    const { lowercase, effectiveOrder, tokenize, smooth } = this.#options;
    const value = smooth === "floor" || smooth === "add-k" ? `[${this.#smoothValue.toFixed(2)}]` : "";
    return [
      `case:${lowercase ? "lc" : "mixed"}`,
      `eff:${effectiveOrder ? "yes" : "no"}`,
      `tok:${tokenize}`,
      `smooth:${smooth}${value}`,
    ];
  }
}

/** The length nearest to a hypothesis'; of two, the shorter. */
function nearest(length: number, lengths: readonly number[]): number {
  const distance = (other: number) => Math.abs(other - length);
  return lengths.reduce((best, other) =>
    distance(other) < distance(best) || (distance(other) === distance(best) && other < best) ? other : best,
  );
}
