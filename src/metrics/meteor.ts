import { functionWords } from "./function-words.ts";
import { Metric, type MetricScore } from "./metric.ts";
import { stem } from "./stem.ts";
import { words as wordsOf } from "./whitespace.ts";

/** METEOR 1.5's parameters for English. */
const ALPHA = 0.85;
const BETA = 0.2;
const GAMMA = 0.6;
const DELTA = 0.75;
/** What a match of the same stem counts, beside one of the same word. */
const STEM_WEIGHT = 0.6;
/** Alignments that are looked at side by side. */
const BEAM = 40;

const weightOf = (word: string) => (functionWords.has(word) ? 1 - DELTA : DELTA);
const lengthOf = (words: readonly string[]) => words.reduce((sum, word) => sum + weightOf(word), 0);

/**
 * METEOR (Denkowski & Lavie 2014) by words and their stems: the alignment of hypothesis and reference that covers most
 * words in the fewest chunks gives precision P and recall R, words of grammar counting a third of others and equal stems
 * 0.6 of equal words;
 *
 *     METEOR = P·R / (α·P + (1 − α)·R) · (1 − γ·(chunks / matches)^β),  α = 0.85, β = 0.2, γ = 0.6
 *
 * of the best reference; sums over the corpus, in per cent. Left out are METEOR 1.5's synonyms (WordNet) and paraphrases
 * (tables of its own), so figures are lower than its; its list of words of grammar is by frequency, ours by hand. Words
 * are what stands between blanks. Statistics of a sentence: what is matched of the hypothesis and its length, the same
 * of the reference, weighted; chunks; matches.
 */
export class Meteor extends Metric {
  statistics(hypothesis: string, references: readonly string[]): number[] {
    const words = wordsOf(hypothesis);
    const found = references.map((reference) => compare(words, wordsOf(reference)));
    return found.reduce((best, one) => (scoreOf(one) > scoreOf(best) ? one : best));
  }

  score(statistics: readonly number[]): MetricScore {
    return { name: "METEOR", score: 100 * scoreOf(statistics) };
  }

  protected settings(): string[] {
    return ["modules:exact,stem", `alpha:${ALPHA}`, `beta:${BETA}`, `gamma:${GAMMA}`, `delta:${DELTA}`];
  }
}

function scoreOf(statistics: readonly number[]): number {
  const [own, ownLength, theirs, theirLength, chunks, matches] = statistics as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (matches === 0) return 0;
  const precision = own / ownLength;
  const recall = theirs / theirLength;
  const mean = (precision * recall) / (ALPHA * precision + (1 - ALPHA) * recall);
  return mean * (1 - GAMMA * (chunks / matches) ** BETA);
}

/** A partial alignment, of the words of the hypothesis so far. */
interface Alignment {
  matches: number;
  chunks: number;
  /** How far words are from where they stand in the reference. */
  distance: number;
  /** The place that the last word was matched to; −2 if it was not. */
  last: number;
  used: ReadonlySet<number>;
  own: number;
  theirs: number;
}

function compare(words: readonly string[], reference: readonly string[]): number[] {
  const stems = reference.map(stem);
  let beam: Alignment[] = [
    { matches: 0, chunks: 0, distance: 0, last: -2, used: new Set(), own: 0, theirs: 0 },
  ];
  for (const [i, word] of words.entries()) {
    const ownStem = stem(word);
    const next = beam.map((one): Alignment => ({ ...one, last: -2 }));
    for (const one of beam) {
      for (const [j, other] of reference.entries()) {
        if (one.used.has(j) || (word !== other && ownStem !== stems[j])) continue;
        const kind = word === other ? 1 : STEM_WEIGHT;
        next.push({
          matches: one.matches + 1,
          chunks: one.chunks + Number(one.last !== j - 1),
          distance: one.distance + Math.abs(i - j),
          last: j,
          used: new Set(one.used).add(j),
          own: one.own + kind * weightOf(word),
          theirs: one.theirs + kind * weightOf(other),
        });
      }
    }
    beam = next.sort(better).slice(0, BEAM);
  }
  const [{ matches, chunks, own, theirs }] = beam as [Alignment];
  // A sentence that is its reference has nothing to be punished for.
  const whole = chunks === 1 && matches === words.length && matches === reference.length;
  return [own, lengthOf(words), theirs, lengthOf(reference), whole ? 0 : chunks, matches];
}

const better = (a: Alignment, b: Alignment) =>
  b.matches - a.matches || a.chunks - b.chunks || b.own - a.own || a.distance - b.distance;
