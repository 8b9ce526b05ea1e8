import { noGrad, step } from "../../autograd/step.ts";
import { PairBatches } from "../../data/text/translation/pair-batches.ts";
import { DataError } from "../../errors.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { encodeSentence } from "./languages.ts";
import type { TranslationParts } from "./load.ts";
import { targetLosses } from "./measure.ts";
import type { TranslationNetwork } from "./network.ts";

export interface ScoreOptions {
  /** How many pairs are done, of how many. */
  onProgress?: (event: { pairs: number; of: number }) => void;
  /** Ends it with the signal's reason. */
  signal?: AbortSignal;
}

/** The most tokens of a side of a batch, unless a sentence alone has more. */
const BATCH = 4000;

/**
 * ln P of each target, its end included, given its source; of an ensemble, of the mean of their probabilities at each token.
 * A target that is blank is scored as the end alone, a pair whose source is blank gets NaN.
 */
export async function scorePairs(
  { languages, config, networks }: TranslationParts & { networks: readonly TranslationNetwork[] },
  sources: readonly string[],
  targets: readonly string[],
  { onProgress, signal }: ScoreOptions = {},
): Promise<Float64Array> {
  if (sources.length !== targets.length) {
    throw new DataError(
      `Translator.score: needs as many sources as targets, got ${sources.length} and ${targets.length}`,
    );
  }
  const scores = new Float64Array(sources.length).fill(Number.NaN);
  const places: number[] = [];
  const from: Int32Array[] = [];
  const to: Int32Array[] = [];
  for (const [i, sentence] of sources.entries()) {
    const where = `line ${i + 1}`;
    const tokens = encodeSentence(languages.source, sentence, where, { reverse: config.reverseSource });
    if (tokens.length === 0) continue;
    places.push(i);
    from.push(tokens);
    to.push(encodeSentence(languages.target, targets[i]!, where, { end: true }));
  }
  if (places.length === 0) return scores;
  const longest = Math.max(...[...from, ...to].map(({ length }) => length));
  const batches = new PairBatches(from, to, { maxTokens: Math.max(BATCH, longest), seed: 0 });
  for (const network of networks) network.eval();
  const pause = eventLoopTurns();
  let done = 0;
  for (let b = 0; b < batches.length; b++) {
    signal?.throwIfAborted();
    const batch = batches.at(0, b);
    const N = batch.pairs.length;
    const each = networks.map((network) =>
      step(() => noGrad(() => targetLosses(network, batch).toArray() as Float32Array)),
    );
    for (const [n, pair] of batch.pairs.entries()) {
      let sum = 0;
      for (let t = 0; t < batch.targetLengths[n]!; t++) {
        const p = each.reduce((total, losses) => total + Math.exp(-losses[t * N + n]!), 0) / each.length;
        sum += each.length === 1 ? -each[0]![t * N + n]! : Math.log(p);
      }
      scores[places[pair]!] = sum;
    }
    done += N;
    onProgress?.({ pairs: done, of: places.length });
    await pause();
  }
  return scores;
}
