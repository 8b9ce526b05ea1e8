import { DataError } from "../../errors.ts";
import { wordErrorRate } from "../../metrics/error-rate.ts";
import { eventLoopTurns } from "../../training/pause.ts";
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

interface TuningOptions {
  weights: readonly number[];
  /** Default 0 alone. */
  insertionBonuses?: readonly number[];
  /** Ends the work with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * The language model's weight and the insertion bonus with the lowest word error rate on development data, of all pairs
 * of the values given; of equals the first. Every pair's rate comes along, the best first.
 */
export async function tuneCtcDecoding(
  development: readonly TranscribedFrames[],
  options: CtcDecodingOptions,
  { weights, insertionBonuses = [0], signal }: TuningOptions,
): Promise<TuningResult[]> {
  if (development.length === 0) throw new DataError("tuneCtcDecoding: needs development data, got none");
  const references = development.map(({ text }) => text);
  const pause = eventLoopTurns();
  const tried: TuningResult[] = [];
  for (const weight of weights) {
    for (const insertionBonus of insertionBonuses) {
      const texts: string[] = [];
      for (const { logProbs } of development) {
        texts.push(ctcBeamSearch(logProbs, { ...options, weight, insertionBonus })[0]?.text ?? "");
        await pause();
        signal?.throwIfAborted();
      }
      tried.push({ weight, insertionBonus, rate: wordErrorRate(references, texts).rate });
    }
  }
  return tried.sort((a, b) => a.rate - b.rate);
}
