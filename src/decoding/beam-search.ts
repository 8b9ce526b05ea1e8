import * as v from "valibot";
import { checkOptions, numberIn, recordOf, type SchemasOf, wholeNumber } from "../options.ts";

/** A finished sequence. */
export interface BeamHypothesis {
  /** Without the end. */
  tokens: number[];
  /** Σ ln P of the tokens and, unless it was cut off, of the end. */
  logProbability: number;
  /** The same by its length penalty: what hypotheses are ranked by. */
  score: number;
  /** Whether it was cut off at the most tokens, without an end. */
  truncated: boolean;
  /** The row that each of its steps was computed in, the end's among them, not those of the tokens it started with. */
  rows: number[];
}

export interface BeamOptions {
  /** How many hypotheses go on side by side; 1 is greedy. Default 1. */
  beam?: number;
  /** How many of the finished ones to give, at most `beam`. Default 1. */
  nBest?: number;
  /** α: scores are divided by lengthᵅ, the end counted; 0 prefers the short. Default 1. */
  lengthPenalty?: number;
}

/** Where a sequence starts: with some tokens already, if it must begin with them. */
export interface BeamStart {
  /** The most tokens it may get. */
  maxLength: number;
  /** Default none. */
  tokens?: readonly number[];
  /** Σ ln P of these. Default 0. */
  logProbability?: number;
}

export const beamEntries = {
  beam: v.optional(wholeNumber(1, 1000), 1),
  nBest: v.optional(wholeNumber(1, 1000), 1),
  lengthPenalty: v.optional(numberIn({ from: 0, to: 10 }), 1),
} satisfies SchemasOf<BeamOptions>;

/** The likeliest tokens of each row, the likeliest first, of equals the smallest: as many a row as the beam is wide, if there are. */
export interface Continuations {
  logProbs: ArrayLike<number>;
  tokens: ArrayLike<number>;
}

/** Computes a step: row i goes on from row parents[i] of the step before with tokens[i]. */
export type BeamStep = (parents: Int32Array, tokens: Int32Array) => Continuations;

interface Live {
  tokens: number[];
  rows: number[];
  logProbability: number;
  /** The row it was last computed in. */
  row: number;
}

interface Sequence {
  live: Live[];
  finished: BeamHypothesis[];
  maxLength: number;
}

/**
 * Beam search for several sequences at once, so that a step is one product for all hypotheses of all of them. A hypothesis
 * that ends leaves the beam, which is narrower from then on (Sutskever et al. 2014, §3.2). Before the first step row n is
 * sequence n, and `start` is its token unless it has some. Equal probabilities go to the earlier hypothesis and the smaller
 * token, and a sequence's result depends on no other. `bonus` is added to the score of what has finished, by its rows.
 */
export function beamSearch(
  step: BeamStep,
  given: {
    start: number;
    end: number;
    sequences: readonly BeamStart[];
    bonus?: (sequence: number, rows: readonly number[]) => number;
  },
  options: BeamOptions = {},
): BeamHypothesis[][] {
  const { start, end, bonus } = given;
  const { beam, nBest, lengthPenalty } = checkOptions("beamSearch", recordOf(beamEntries), options);
  const sequences = given.sequences.map(
    ({ maxLength, tokens = [], logProbability = 0 }, row): Sequence => ({
      live: [{ tokens: [...tokens], rows: [], logProbability, row }],
      finished: [],
      maxLength,
    }),
  );
  for (;;) {
    const running = sequences.flatMap(({ live }) => live);
    if (running.length === 0) break;
    const parents = Int32Array.from(running, ({ row }) => row);
    const found = step(
      parents,
      Int32Array.from(running, ({ tokens }) => tokens.at(-1) ?? start),
    );
    const width = found.tokens.length / running.length;
    let row = 0;
    for (const [n, sequence] of sequences.entries()) {
      const { live, finished, maxLength } = sequence;
      for (const one of live) one.row = row++;
      if (live.length === 0) continue;
      sequence.live = [];
      for (const { hypothesis, token, logProbability } of best(live, found, width, beam - finished.length)) {
        const rows = [...hypothesis.rows, hypothesis.row];
        const ends = token === end;
        const tokens = ends ? hypothesis.tokens : [...hypothesis.tokens, token];
        if (!ends && tokens.length < maxLength) {
          sequence.live.push({ tokens, rows, logProbability, row: hypothesis.row });
          continue;
        }
        const length = tokens.length + Number(ends);
        const score = logProbability / length ** lengthPenalty + (bonus?.(n, rows) ?? 0);
        finished.push({ tokens, logProbability, score, truncated: !ends, rows });
      }
    }
  }
  return sequences.map(({ finished }) => finished.sort((a, b) => b.score - a.score).slice(0, nBest));
}

interface Candidate {
  hypothesis: Live;
  token: number;
  logProbability: number;
}

/** The `count` likeliest continuations of hypotheses by one token, the likeliest first. */
function best(
  live: readonly Live[],
  { logProbs, tokens }: Continuations,
  width: number,
  count: number,
): Candidate[] {
  const kept: Candidate[] = [];
  for (const hypothesis of live) {
    for (let at = hypothesis.row * width; at < (hypothesis.row + 1) * width; at++) {
      const logProbability = hypothesis.logProbability + logProbs[at]!;
      if (kept.length === count && !(logProbability > kept[count - 1]!.logProbability)) break;
      let place = kept.length;
      while (place > 0 && kept[place - 1]!.logProbability < logProbability) place--;
      kept.splice(place, 0, { hypothesis, token: tokens[at]!, logProbability });
      if (kept.length > count) kept.pop();
    }
  }
  return kept;
}
