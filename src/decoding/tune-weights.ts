import { Generator } from "../tensor/random.ts";

/** The hypotheses of a sentence: features of each, whose weighted sum ranks them, and what each adds to the corpus' score. */
export interface TuningList {
  features: readonly (readonly number[])[];
  statistics: readonly (readonly number[])[];
}

export interface TunedWeights {
  weights: number[];
  /** Of the best hypotheses by these weights. */
  score: number;
}

export interface TuneOptions {
  /** How many random weights to start from besides those given. Default 8. */
  restarts?: number;
  /** Of the random starts. Default 1. */
  seed?: number;
}

/** A better score than by this is none: sums are rounded. */
const LEAST = 1e-9;

/**
 * Weights of features that make the first hypotheses of n-best lists score best (minimum error rate training, Och 2003):
 * along one weight the best hypothesis of a list changes at finitely many values, so the best value is found exactly; the
 * weights take turns until none gains anything. `score` is of statistics summed over the lists, the higher the better.
 */
export function tuneWeights(
  lists: readonly TuningList[],
  score: (statistics: readonly number[]) => number,
  start: readonly number[],
  { restarts = 8, seed = 1 }: TuneOptions = {},
): TunedWeights {
  const random = new Generator(seed);
  let best = climb(lists, score, start);
  for (let i = 0; i < restarts; i++) {
    const found = climb(
      lists,
      score,
      start.map(() => 2 * random.uniform() - 0.5),
    );
    if (found.score > best.score + LEAST) best = found;
  }
  const scale = best.weights.reduce((sum, weight) => sum + Math.abs(weight), 0) || 1;
  return { weights: best.weights.map((weight) => weight / scale), score: best.score };
}

/** The place of the hypothesis with the greatest weighted sum, of equals the first. */
export function bestOf(features: readonly (readonly number[])[], weights: readonly number[]): number {
  const sums = features.map((one) => dot(one, weights));
  return sums.indexOf(Math.max(...sums));
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);

function climb(
  lists: readonly TuningList[],
  score: (statistics: readonly number[]) => number,
  start: readonly number[],
): TunedWeights {
  const weights = [...start];
  let reached = score(total(lists, weights));
  for (;;) {
    const before = reached;
    for (let k = 0; k < weights.length; k++) {
      const found = alongWeight(lists, score, weights, k);
      if (found.score <= reached + LEAST) continue;
      weights[k] = found.value;
      // Between two changes the sums are those of the line; at the value itself they are computed anew.
      reached = score(total(lists, weights));
    }
    if (reached <= before + LEAST) return { weights, score: reached };
  }
}

function total(lists: readonly TuningList[], weights: readonly number[]): number[] {
  const sum = lists[0]!.statistics[0]!.map(() => 0);
  for (const { features, statistics } of lists) addTo(sum, statistics[bestOf(features, weights)]!, 1);
  return sum;
}

function addTo(sum: number[], statistics: readonly number[], sign: number): void {
  for (let k = 0; k < sum.length; k++) sum[k]! += sign * statistics[k]!;
}

/** The best value of weight k while the others stay: the middle between the two changes that it lies between. */
function alongWeight(
  lists: readonly TuningList[],
  score: (statistics: readonly number[]) => number,
  weights: readonly number[],
  k: number,
): { value: number; score: number } {
  const others = weights.map((weight, i) => (i === k ? 0 : weight));
  const sum = lists[0]!.statistics[0]!.map(() => 0);
  const changes: { at: number; from: readonly number[]; to: readonly number[] }[] = [];
  for (const { features, statistics } of lists) {
    const envelope = upperEnvelope(features.map((one) => [dot(one, others), one[k]!]));
    addTo(sum, statistics[envelope[0]!.line]!, 1);
    for (let i = 1; i < envelope.length; i++) {
      const from = statistics[envelope[i - 1]!.line]!;
      changes.push({ at: envelope[i]!.from, from, to: statistics[envelope[i]!.line]! });
    }
  }
  changes.sort((a, b) => a.at - b.at);
  let best = { value: changes.length > 0 ? changes[0]!.at - 1 : weights[k]!, score: score(sum) };
  for (const [i, { at, from, to }] of changes.entries()) {
    addTo(sum, from, -1);
    addTo(sum, to, 1);
    const next = changes[i + 1]?.at ?? at + 2;
    if (next - at <= LEAST) continue;
    const here = score(sum);
    if (here > best.score) best = { value: (at + next) / 2, score: here };
  }
  return best;
}

/** Which of the lines a + b·x is the highest, and from which x on. */
function upperEnvelope(
  lines: readonly (readonly [a: number, b: number])[],
): { line: number; from: number }[] {
  const order = lines
    .map(([a, b], line) => ({ a, b, line }))
    .sort((p, q) => p.b - q.b || q.a - p.a || p.line - q.line)
    .filter(({ b }, i, all) => i === 0 || b > all[i - 1]!.b);
  const hull: { a: number; b: number; line: number; from: number }[] = [];
  for (const one of order) {
    let from = Number.NEGATIVE_INFINITY;
    for (let top = hull.at(-1); top; top = hull.at(-1)) {
      from = (top.a - one.a) / (one.b - top.b);
      if (from > top.from) break;
      hull.pop();
      from = Number.NEGATIVE_INFINITY;
    }
    hull.push({ ...one, from });
  }
  return hull;
}
