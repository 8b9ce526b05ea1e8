import { DataError } from "../../errors.ts";
import { wordErrorRate } from "../../metrics/error-rate.ts";
import { type CtcDecodingOptions, ctcBeamSearch } from "./beam-search.ts";

/** What was recorded and what was said. */
export interface TranscribedFrames {
  /** [T, V], one row after the other */
  logProbs: ArrayLike<number>;
  text: string;
}

export interface TuningResult {
  weight: number;
  insertionBonus: number;
  /** The word error rate with them. */
  rate: number;
}

/**
 * The language model's weight and the insertion bonus with the lowest word error rate on development data, of all pairs
 * of the values given; of equals the first. Every pair's rate comes along, the best first.
 */
export function tuneCtcDecoding(
  development: readonly TranscribedFrames[],
  options: CtcDecodingOptions,
  { weights, insertionBonuses = [0] }: { weights: readonly number[]; insertionBonuses?: readonly number[] },
): TuningResult[] {
  if (development.length === 0) throw new DataError("tuneCtcDecoding: needs development data, got none");
  const references = development.map(({ text }) => text);
  const tried = weights.flatMap((weight) =>
    insertionBonuses.map((insertionBonus) => {
      const texts = development.map(
        ({ logProbs }) => ctcBeamSearch(logProbs, { ...options, weight, insertionBonus })[0]?.text ?? "",
      );
      return { weight, insertionBonus, rate: wordErrorRate(references, texts).rate };
    }),
  );
  return tried.sort((a, b) => a.rate - b.rate);
}
