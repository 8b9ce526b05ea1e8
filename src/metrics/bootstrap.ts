import { OptionError } from "../errors.ts";
import { Generator } from "../tensor/random.ts";
import { type Metric, sumOf } from "./metric.ts";

export interface BootstrapOptions {
  /** How many corpora to draw. Default 1000. */
  samples?: number;
  /** The same seed draws the same corpora. Default 12345. */
  seed?: number;
}

export interface Confidence {
  /** Over the corpora drawn. */
  mean: number;
  /** Half the width of the range that 95 % of their scores are in. */
  halfWidth: number;
}

export interface PairedComparison {
  /** Of the baseline and of the other system. */
  baseline: Confidence & { score: number };
  system: Confidence & { score: number };
  /** How likely a difference this large is if there is none. */
  pValue: number;
}

type References = readonly (readonly string[])[];

/**
 * How far a score can be trusted (Koehn 2004): corpora of the same size are drawn from the sentences, with replacement,
 * and scored.
 */
export function bootstrap(
  metric: Metric,
  hypotheses: readonly string[],
  references: References,
  options: BootstrapOptions = {},
): Confidence {
  return confidence(resampled(metric, metric.sentenceStatistics(hypotheses, references), options));
}

/**
 * Whether one system is better than another on the same sentences (Koehn 2004; the p-value is that of Riezler and Maxwell
 * 2005, as in Moses and sacreBLEU): both are scored on the same corpora drawn.
 */
export function pairedBootstrap(
  metric: Metric,
  baseline: readonly string[],
  system: readonly string[],
  references: References,
  options: BootstrapOptions = {},
): PairedComparison {
  const [first, second] = [baseline, system].map((hypotheses) => {
    const statistics = metric.sentenceStatistics(hypotheses, references);
    const drawn = resampled(metric, statistics, options);
    return { score: metric.score(sumOf(statistics)).score, drawn };
  }) as [Scored, Scored];
  const difference = Math.abs(first.score - second.score);
  const differences = first.drawn.map((score, i) => Math.abs(score - second.drawn[i]!));
  const mean = meanOf(differences);
  const greater = differences.filter((other) => other - mean > difference).length;
  return {
    baseline: { score: first.score, ...confidence(first.drawn) },
    system: { score: second.score, ...confidence(second.drawn) },
    pValue: (greater + 1) / (differences.length + 1),
  };
}

interface Scored {
  score: number;
  drawn: number[];
}

function resampled(
  metric: Metric,
  statistics: readonly (readonly number[])[],
  { samples = 1000, seed = 12345 }: BootstrapOptions,
): number[] {
  if (!Number.isInteger(samples) || samples < 2 || samples > 1e6) {
    throw new OptionError(`bootstrap: samples must be a whole number from 2 to 1000000, got ${samples}`);
  }
  const chosen = new Int32Array(statistics.length);
  return Array.from({ length: samples }, (_, sample) => {
    const random = new Generator(seed, sample);
    for (let i = 0; i < chosen.length; i++) chosen[i] = random.below(statistics.length);
    return metric.score(sumOf(statistics, chosen)).score;
  });
}

function confidence(scores: readonly number[]): Confidence {
  const sorted = [...scores].sort((a, b) => a - b);
  const cut = Math.floor(sorted.length / 40);
  return { mean: meanOf(scores), halfWidth: (sorted[sorted.length - cut - 1]! - sorted[cut]!) / 2 };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
