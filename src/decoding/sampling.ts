import { NumericError } from "../errors.ts";
import type { Generator } from "../tensor/random.ts";

/** How to choose a token from its scores. */
export interface SamplingOptions {
  /** Divides the logits: below 1 is bolder on what is likely, 0 always takes the likeliest. Default 1. */
  temperature?: number | undefined;
  /** Only the k likeliest. Default all. */
  topK?: number | undefined;
  /** Only the likeliest that together reach this probability (nucleus sampling, Holtzman et al. 2020). Default 1. */
  topP?: number | undefined;
}

/**
 * Draws a token from softmax(logits / temperature), cut to the `topK` likeliest and then to the smallest set of those
 * left whose renormalised probabilities reach `topP`. Of equal scores the lower token comes first. A logit of −∞ is
 * never drawn.
 */
export function sampleToken(
  logits: ArrayLike<number>,
  { temperature = 1, topK = logits.length, topP = 1 }: SamplingOptions,
  generator: Generator,
): number {
  const best = likeliest(logits);
  if (!Number.isFinite(logits[best]!)) throw notFinite(logits[best]!);
  if (temperature === 0 || topK === 1) return best;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - logits[best]!) / temperature));
  const cut = topK < logits.length || topP < 1;
  const order = Uint32Array.from(weights, (_, token) => token);
  if (cut) order.sort((a, b) => weights[b]! - weights[a]! || a - b);
  let candidates = order.subarray(0, topK);
  if (topP < 1) candidates = candidates.subarray(0, nucleus(weights, candidates, topP));
  return draw(weights, candidates, generator);
}

/** The likeliest token; the first of equals. */
export function likeliest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

function total(weights: Float64Array, candidates: Uint32Array): number {
  let sum = 0;
  for (const token of candidates) sum += weights[token]!;
  return sum;
}

/** How many of the candidates, likeliest first, it takes to reach `topP` of their sum. */
function nucleus(weights: Float64Array, candidates: Uint32Array, topP: number): number {
  const enough = topP * total(weights, candidates);
  let sum = 0;
  for (let i = 0; i < candidates.length; i++) {
    sum += weights[candidates[i]!]!;
    if (sum >= enough) return i + 1;
  }
  return candidates.length;
}

function draw(weights: Float64Array, candidates: Uint32Array, generator: Generator): number {
  const sum = total(weights, candidates);
  if (!(sum > 0)) throw notFinite(sum);
  let left = generator.uniform() * sum;
  let last = candidates[0]!;
  for (const token of candidates) {
    if (weights[token] === 0) continue;
    last = token;
    left -= weights[token]!;
    if (left < 0) break;
  }
  return last;
}

function notFinite(value: number): NumericError {
  return new NumericError(`sampleToken: logits must be finite, got ${value}`, {
    hint: "the model's weights are not finite, or too large",
  });
}
