import { noGrad, step } from "../../autograd/step.ts";
import { type BeamHypothesis, type BeamOptions, beamSearch } from "../../decoding/beam-search.ts";
import type { AttentionMemory } from "../../nn/attention.ts";
import { mapParts } from "../../nn/recurrent/state.ts";
import { add, div } from "../../ops/binary.ts";
import { gather } from "../../ops/gather.ts";
import { packingOnce } from "../../ops/gemm.ts";
import { exp, log } from "../../ops/pointwise.ts";
import { logSoftmax } from "../../ops/softmax.ts";
import { topLogProbs } from "../../ops/top-log-probs.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { BOUNDARY, type DecoderState, type Looks, type TranslationNetwork } from "./network.ts";

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

/** A network, and where it is. */
interface Running {
  network: TranslationNetwork;
  /** Row n is what sentence held[n] is looked at by. */
  memory: AttentionMemory | undefined;
  state: Omit<DecoderState, "memory">;
}

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
  const source = sideBySide(
    sources.map(({ tokens }) => tokens),
    S,
  );
  const begun = networks.map((network) => {
    const { memory, ...state } = network.eval().encode(source, lengths);
    return { network, memory, state };
  });
  const prefix = readPrefix(begun, sources);
  const steps = new Steps(prefix.last, options.beam ?? 1);
  const keeps = (attention || coveragePenalty > 0) && begun[0]!.memory !== undefined;
  /** Where was looked: of each sentence by its prefix, then of the rows of each step. */
  const seen: Seen[] = [];
  const weightsOf = (sentence: number, rows: readonly number[]) => [
    ...prefix.seen[sentence]!.map((weights) => weights.subarray(0, lengths[sentence]!)),
    ...rows.map((row, t) => seen[t]!.of(row).slice(0, lengths[sentence]!)),
  ];
  const found = beamSearch(
    (parents, tokens) => {
      const { weights, ...continuations } = steps.next(parents, tokens);
      if (keeps) seen.push(weights!);
      return continuations;
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

/** Token sequences as columns [T, N], the rest the boundary. */
function sideBySide(sequences: readonly Int32Array[], T: number): Tensor {
  const N = sequences.length;
  const padded = new Int32Array(T * N).fill(BOUNDARY);
  for (const [n, tokens] of sequences.entries()) {
    for (const [t, token] of tokens.entries()) padded[t * N + n] = token;
  }
  return tensor(padded, [T, N]);
}

/** Reads all of the prefixes but their last tokens. */
function readPrefix(begun: Running[], sources: readonly DecodeSource[]) {
  const N = sources.length;
  const P = sources[0]!.prefix.length;
  const logProbability = new Float64Array(N);
  const seen: Float32Array[][] = sources.map(() => []);
  if (P === 0) return { logProbability, seen, last: begun };
  const inputs = sources.map(({ prefix }) => Int32Array.from([BOUNDARY, ...prefix.subarray(0, -1)]));
  const outs = begun.map(({ network, memory, state }) =>
    network.decode(sideBySide(inputs, P), { ...state, memory }),
  );
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
  const last = begun.map((one, i): Running => ({ ...one, state: outs[i]!.state }));
  return { logProbability, seen, last };
}

/** ln of the mean of what networks say. */
function logProbsOf(logits: readonly Tensor[]): Tensor {
  const each = logits.map(logSoftmax);
  return each.length === 1 ? each[0]! : log(div(each.map(exp).reduce(add), each.length));
}

/** Where the rows of a step looked. */
class Seen {
  readonly #weights: Float32Array;
  readonly #places: Int32Array;
  readonly #looks: Looks;

  constructor(weights: Float32Array, looks: Looks) {
    this.#weights = weights;
    this.#looks = looks;
    this.#places = looks.placeOf;
  }

  of(row: number): Float32Array {
    const [most, memories] = this.#looks.shape;
    const place = this.#places[row]!;
    const S = this.#weights.length / (most * memories);
    const at = (place % memories) * most + Math.floor(place / memories);
    return this.#weights.subarray(at * S, (at + 1) * S);
  }
}

/** The networks, step by step. */
class Steps {
  readonly #running: Running[];
  readonly #count: number;
  /** The sentence of each row, and of each memory. */
  #sentences: Int32Array;
  #held: Int32Array;

  constructor(begun: readonly Running[], beam: number) {
    this.#running = begun.map((one) => ({ ...one }));
    this.#count = Math.min(beam, begun[0]!.network.config.targetVocabulary);
    const N = begun[0]!.state.recurrent.h.shape[1]!;
    this.#sentences = Int32Array.from({ length: N }, (_, n) => n);
    this.#held = this.#sentences;
  }

  next(parents: Int32Array, tokens: Int32Array) {
    this.#sentences = parents.map((parent) => this.#sentences[parent]!);
    this.#drop();
    const looks = this.#looks();
    const rows = tensor(parents);
    const { states, ...found } = step(() => {
      const outs = this.#running.map(({ network, state, memory }) => {
        const recurrent = mapParts(state.recurrent, (part) => gather(part, rows, 1));
        const fed = state.fed && gather(state.fed, rows, 1);
        return network.decode(tensor(tokens, [1, tokens.length]), { recurrent, fed, memory }, looks);
      });
      const logits = outs.map((out) => out.logits);
      const top = topLogProbs(logits.length === 1 ? logits[0]! : logProbsOf(logits), this.#count);
      const { weights } = outs[0]!;
      return {
        logProbs: top.logProbs.toArray() as Float32Array,
        tokens: top.tokens.toArray() as Int32Array,
        weights: weights && new Seen(weights.toArray() as Float32Array, looks),
        states: outs.map(({ state: { recurrent, fed } }) => ({ recurrent, fed })),
      };
    });
    for (const [i, one] of this.#running.entries()) one.state = states[i]!;
    return found;
  }

  /** Lets go of the memories of sentences that are done, once they are most of them. */
  #drop(): void {
    const live = new Set(this.#sentences);
    if (2 * live.size > this.#held.length) return;
    const kept = Int32Array.from(this.#held.keys()).filter((place) => live.has(this.#held[place]!));
    const places = tensor(kept);
    this.#held = kept.map((place) => this.#held[place]!);
    for (const one of this.#running) {
      if (!one.memory) continue;
      const { values, keys, mask } = one.memory;
      one.memory = {
        values: gather(values, places, 0),
        keys: gather(keys, places, 0),
        mask: gather(mask, places, 0),
      };
    }
  }

  #looks(): Looks {
    const memories = this.#held.length;
    const placeOfSentence = new Map(Array.from(this.#held, (sentence, place) => [sentence, place]));
    const counts = new Int32Array(memories);
    const placeOf = this.#sentences.map((sentence) => {
      const memory = placeOfSentence.get(sentence)!;
      return counts[memory]!++ * memories + memory;
    });
    const most = Math.max(...counts);
    const rowOf = new Int32Array(most * memories);
    for (const [row, place] of placeOf.entries()) rowOf[place] = row;
    return { shape: [most, memories], rowOf, placeOf };
  }
}
