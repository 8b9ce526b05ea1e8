import { OptionError } from "../errors.ts";

/** Where the weights change by less than this, they have been found. */
const ENOUGH = 1e-7;
const MOST_ROUNDS = 10_000;

/**
 * The weights with which models, mixed linearly, predict best: Σ ln Σ w_k P_k is highest, by expectation maximisation
 * (Jelinek and Mercer 1980). `logProbs` has each model's ln P of the same tokens. The maximum is the only one.
 */
export function mixtureWeights(logProbs: readonly Float64Array[]): number[] {
  checkLengths(logProbs);
  const length = logProbs[0]!.length;
  const probabilities = logProbs.map((ofModel) => ofModel.map(Math.exp));
  let weights = logProbs.map(() => 1 / logProbs.length);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const shares = weights.map(() => 0);
    for (let i = 0; i < length; i++) {
      let mixed = 0;
      for (let k = 0; k < weights.length; k++) mixed += weights[k]! * probabilities[k]![i]!;
      if (mixed > 0) for (let k = 0; k < weights.length; k++) shares[k]! += probabilities[k]![i]! / mixed;
    }
    const next = weights.map((weight, k) => (weight * shares[k]!) / length);
    const sum = next.reduce((total, weight) => total + weight, 0);
    const normalised = next.map((weight) => weight / sum);
    const change = Math.max(...normalised.map((weight, k) => Math.abs(weight - weights[k]!)));
    weights = normalised;
    if (change < ENOUGH) break;
  }
  return weights;
}

/** ln Σ w_k P_k of each token. */
export function mixLogProbs(logProbs: readonly Float64Array[], weights: readonly number[]): Float64Array {
  checkLengths(logProbs);
  checkWeights(weights, logProbs.length);
  return logProbs[0]!.map((_, i) => {
    let mixed = 0;
    for (let k = 0; k < weights.length; k++) mixed += weights[k]! * Math.exp(logProbs[k]![i]!);
    return Math.log(mixed);
  });
}

/** Weights as they may be given: one for each model, 0 or more, 1 in all. */
export function checkWeights(weights: readonly number[], models: number): void {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (weights.length === models && weights.every((w) => w >= 0) && Math.abs(sum - 1) < 1e-6) return;
  throw new OptionError(
    `weights must be ${models} numbers from 0 up that sum to 1, got ${weights.join(", ") || "none"}`,
  );
}

function checkLengths(logProbs: readonly Float64Array[]): void {
  const lengths = logProbs.map(({ length }) => length);
  if (lengths.length > 0 && lengths[0]! > 0 && lengths.every((length) => length === lengths[0])) return;
  throw new OptionError(
    `mixture: models must have log-probs of the same tokens, got ${lengths.join(", ") || "none"} of them`,
  );
}
