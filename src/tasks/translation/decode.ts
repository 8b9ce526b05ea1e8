import { noGrad, step } from "../../autograd/step.ts";
import { padded } from "../../data/padded.ts";
import { type BeamHypothesis, type BeamOptions, beamSearch } from "../../decoding/beam-search.ts";
import {
  BOUNDARY,
  type DecoderState,
  DecoderSteps,
  logProbsOf,
  type Seen,
} from "../../decoding/decoder-steps.ts";
import { packingOnce } from "../../ops/gemm.ts";
import type { TranslationNetwork } from "./network.ts";

/** A translation's tokens, and where was looked for each. */
export interface Decoded extends BeamHypothesis {
  /** For each token, and the end, the weight of each of the source's, if asked for: [tokens + 1][source]. */
  attention?: Float32Array[];
}

export interface DecodeOptions extends BeamOptions {
  /** β of Wu et al. (2016, eq. 14): what little of the source was looked at costs score. Default 0. */
  coveragePenalty?: number;
  /** Say where was looked. Default false. */
  attention?: boolean;
}

/** A sentence to translate, and the tokens that its translation must begin with. */
export interface DecodeSource {
  tokens: Int32Array;
  prefix: Int32Array;
}

/** Steps of sources are filled up to a multiple of this, so that sums do not depend on the others of a batch. */
const EVEN = 8;

/** How long a translation may become: twice its source, and some. */
const longest = ({ tokens, prefix }: DecodeSource) => prefix.length + 2 * tokens.length + 20;

/**
 * Translates sentences side by side. Several networks of the same tokens are an ensemble: their probabilities are averaged
 * at each step. A sentence's result does not depend on the others. All prefixes are of one length.
 */
export function decodeBatch(
  networks: readonly TranslationNetwork[],
  sources: readonly DecodeSource[],
  options: DecodeOptions,
): Decoded[][] {
  // What its steps keep for one another goes when they are all done.
  return step(() => packingOnce(() => noGrad(() => decode(networks, sources, options))));
}

function decode(
  networks: readonly TranslationNetwork[],
  sources: readonly DecodeSource[],
  { attention = false, coveragePenalty = 0, ...options }: DecodeOptions,
): Decoded[][] {
  const lengths = Int32Array.from(sources, ({ tokens }) => tokens.length);
  const S = Math.ceil(Math.max(...lengths) / EVEN) * EVEN;
  const source = padded(
    sources.map(({ tokens }) => tokens),
    BOUNDARY,
    S,
  );
  const begun = networks.map((network) => ({ network, state: network.eval().encode(source, lengths) }));
  const prefix = readPrefix(begun, sources);
  const steps = new DecoderSteps(prefix.last, { count: options.beam ?? 1 });
  const keeps = attention || coveragePenalty > 0;
  /** Where was looked: of each sentence by its prefix, then of the rows of each step. */
  const seen: Seen[] = [];
  const weightsOf = (sentence: number, rows: readonly number[]) => [
    ...prefix.seen[sentence]!.map((weights) => weights.subarray(0, lengths[sentence]!)),
    ...rows.map((row, t) => seen[t]!.of(row).slice(0, lengths[sentence]!)),
  ];
  const found = beamSearch(
    (parents, tokens) => {
      const found = steps.next(parents, tokens);
      if (keeps) seen.push(found.seen!);
      return found;
    },
    {
      start: BOUNDARY,
      end: BOUNDARY,
      sequences: sources.map((one, n) => ({
        maxLength: longest(one),
        tokens: Array.from(one.prefix),
        logProbability: prefix.logProbability[n]!,
      })),
      ...(coveragePenalty > 0 && {
        bonus: (sentence, rows) => coveragePenalty * coverage(weightsOf(sentence, rows)),
      }),
    },
    options,
  );
  if (!attention) return found;
  return found.map((list, n) => list.map((one) => ({ ...one, attention: weightsOf(n, one.rows) })));
}

/** Σᵢ ln min(Σⱼ weights[j][i], 1): 0 where each of the source's tokens was looked at enough (Wu et al. 2016, eq. 14). */
function coverage(weights: readonly Float32Array[]): number {
  let sum = 0;
  for (let i = 0; i < weights[0]!.length; i++) {
    const looked = weights.reduce((total, row) => total + row[i]!, 0);
    sum += Math.log(Math.min(Math.max(looked, 1e-10), 1));
  }
  return sum;
}

/** Reads all of the prefixes but their last tokens. */
function readPrefix(
  begun: readonly { network: TranslationNetwork; state: DecoderState }[],
  sources: readonly DecodeSource[],
) {
  const N = sources.length;
  const P = sources[0]!.prefix.length;
  const logProbability = new Float64Array(N);
  const seen: Float32Array[][] = sources.map(() => []);
  if (P === 0) return { logProbability, seen, last: begun };
  const inputs = sources.map(({ prefix }) => Int32Array.from([BOUNDARY, ...prefix.subarray(0, -1)]));
  const outs = begun.map(({ network, state }) => network.decode(padded(inputs, BOUNDARY, P), state));
  const logProbs = logProbsOf(outs.map(({ logits }) => logits)).toArray();
  const V = logProbs.length / (P * N);
  for (let n = 0; n < N; n++) {
    for (let t = 0; t < P; t++) logProbability[n]! += logProbs[(t * N + n) * V + sources[n]!.prefix[t]!]!;
  }
  const weights = outs[0]!.weights?.toArray() as Float32Array | undefined;
  if (weights) {
    const S = weights.length / (N * P);
    for (const [n, rows] of seen.entries()) {
      for (let t = 0; t < P; t++) rows.push(weights.slice((n * P + t) * S, (n * P + t + 1) * S));
    }
  }
  const last = begun.map(({ network }, i) => ({ network, state: outs[i]!.state }));
  return { logProbability, seen, last };
}
