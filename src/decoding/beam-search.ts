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
  /** The row that each of its steps was computed in, the end's among them, for those who keep what was seen there. */
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

export const beamEntries = {
  beam: v.optional(wholeNumber(1, 1000), 1),
  nBest: v.optional(wholeNumber(1, 1000), 1),
  lengthPenalty: v.optional(numberIn({ from: 0, to: 10 }), 1),
} satisfies SchemasOf<BeamOptions>;

/** Computes a step: row i goes on from row parents[i] of the step before with tokens[i] → ln P [rows, V]. */
export type BeamStep = (parents: Int32Array, tokens: Int32Array) => Float32Array;

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
 * sequence n, and `start` is its token. Equal probabilities go to the earlier hypothesis and the smaller token, and a
 * sequence's result depends on no other.
 */
export function beamSearch(
  step: BeamStep,
  { start, end, maxLengths }: { start: number; end: number; maxLengths: readonly number[] },
  options: BeamOptions = {},
): BeamHypothesis[][] {
  const { beam, nBest, lengthPenalty } = checkOptions("beamSearch", recordOf(beamEntries), options);
  const sequences = maxLengths.map(
    (maxLength, row): Sequence => ({
      live: [{ tokens: [], rows: [], logProbability: 0, row }],
      finished: [],
      maxLength,
    }),
  );
  for (;;) {
    const running = sequences.flatMap(({ live }) => live);
    if (running.length === 0) break;
    const parents = Int32Array.from(running, ({ row }) => row);
    const logProbs = step(
      parents,
      Int32Array.from(running, ({ tokens }) => tokens.at(-1) ?? start),
    );
    const V = logProbs.length / running.length;
    let row = 0;
    for (const sequence of sequences) {
      const { live, finished, maxLength } = sequence;
      for (const one of live) one.row = row++;
      if (live.length === 0) continue;
      sequence.live = [];
      for (const { hypothesis, token, logProbability } of best(live, logProbs, V, beam - finished.length)) {
        const rows = [...hypothesis.rows, hypothesis.row];
        const ends = token === end;
        const tokens = ends ? hypothesis.tokens : [...hypothesis.tokens, token];
        if (!ends && tokens.length < maxLength) {
          sequence.live.push({ tokens, rows, logProbability, row: hypothesis.row });
          continue;
        }
        const score = logProbability / rows.length ** lengthPenalty;
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

/** Sums of logarithms are rounded: what is this near to the least of the kept ones is looked at closely. */
const NEAR = 1e-3;

/** The `count` likeliest continuations of hypotheses by one token, the likeliest first. */
function best(live: readonly Live[], logProbs: Float32Array, V: number, count: number): Candidate[] {
  const kept: Candidate[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (const hypothesis of live) {
    const before = hypothesis.logProbability;
    const end = (hypothesis.row + 1) * V;
    for (let at = end - V, bar = least - before - NEAR; at < end; at++) {
      const own = logProbs[at]!;
      if (own < bar) continue;
      const logProbability = before + own;
      if (kept.length === count && !(logProbability > least)) continue;
      let place = kept.length;
      while (place > 0 && kept[place - 1]!.logProbability < logProbability) place--;
      kept.splice(place, 0, { hypothesis, token: at - (end - V), logProbability });
      if (kept.length > count) kept.pop();
      if (kept.length < count) continue;
      least = kept[count - 1]!.logProbability;
      bar = least - before - NEAR;
    }
  }
  return kept;
}
