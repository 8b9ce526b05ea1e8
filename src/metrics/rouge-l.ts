import { Metric, type MetricScore } from "./metric.ts";
import { words as wordsOf } from "./whitespace.ts";

/** How much more recall counts than precision; the COCO caption evaluation's. */
const BETA = 1.2;

/**
 * ROUGE-L (Lin 2004) as the COCO caption evaluation has it: with P and R the longest common subsequence as a part of the
 * hypothesis and of a reference, each the best over the references,
 *
 *     ROUGE-L = (1 + β²)·P·R / (R + β²·P),  β = 1.2
 *
 * and the mean over sentences, in per cent. Words are what stands between blanks. Statistics of a sentence: its score, 1.
 */
export class RougeL extends Metric {
  statistics(hypothesis: string, references: readonly string[]): number[] {
    const words = wordsOf(hypothesis);
    let precision = 0;
    let recall = 0;
    for (const reference of references) {
      const others = wordsOf(reference);
      const common = longestCommonSubsequence(words, others);
      if (common === 0) continue;
      precision = Math.max(precision, common / words.length);
      recall = Math.max(recall, common / others.length);
    }
    if (precision === 0) return [0, 1];
    const squared = BETA ** 2;
    return [((1 + squared) * precision * recall) / (recall + squared * precision), 1];
  }

  score(statistics: readonly number[]): MetricScore {
    const [sum, sentences] = statistics as [number, number];
    return { name: "ROUGE-L", score: (100 * sum) / sentences };
  }

  protected settings(): string[] {
    return [`beta:${BETA}`];
  }
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let before = new Int32Array(b.length + 1);
  for (const word of a) {
    const row = new Int32Array(b.length + 1);
    for (const [j, other] of b.entries()) {
      row[j + 1] = word === other ? before[j]! + 1 : Math.max(before[j + 1]!, row[j]!);
    }
    before = row;
  }
  return before[b.length]!;
}
