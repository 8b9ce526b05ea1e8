import { noGrad, step } from "../autograd/step.ts";
import type { AttentionMemory, Looks } from "../nn/attention.ts";
import { type HiddenState, mapParts } from "../nn/recurrent/state.ts";
import { add, div } from "../ops/binary.ts";
import { gather } from "../ops/gather.ts";
import { exp, log } from "../ops/pointwise.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { topLogProbs } from "../ops/top-log-probs.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { Continuations } from "./beam-search.ts";

/** Begins and ends every sequence that is written; the tokenizers' tokens come after it. */
export const BOUNDARY = 0;

/** What a decoder knows between its steps. */
export interface DecoderState {
  recurrent: HiddenState;
  /** What the next step reads beside its token: [1, N, width]. */
  beside: Tensor | undefined;
  /** What can be looked at, the same at every step. */
  memory: AttentionMemory | undefined;
}

/** A network that writes a token at a time. */
export interface StepDecoder {
  /** tokens [1, N] → logits [1, N, V] of the tokens after them, the state then, and where was looked, as `Attention.look`. */
  decode(
    tokens: Tensor,
    state: DecoderState,
    looks: Looks,
  ): { logits: Tensor; state: DecoderState; weights: Tensor | undefined };
}

/** The states of some sequences, in another order, some perhaps more than once. */
export function chooseSequences(
  { recurrent, beside, memory }: DecoderState,
  sequences: Int32Array,
): DecoderState {
  const chosen = tensor(sequences);
  return {
    recurrent: mapParts(recurrent, (part) => gather(part, chosen, 1)),
    beside: beside && gather(beside, chosen, 1),
    memory: memory && chooseMemory(memory, chosen),
  };
}

function chooseMemory({ values, keys, mask }: AttentionMemory, chosen: Tensor): AttentionMemory {
  return { values: gather(values, chosen, 0), keys: gather(keys, chosen, 0), mask: gather(mask, chosen, 0) };
}

/** A network, and where it is. */
export interface Running {
  network: StepDecoder;
  state: DecoderState;
}

/** ln of the mean of what networks say. */
export function logProbsOf(logits: readonly Tensor[]): Tensor {
  const each = logits.map(logSoftmax);
  return each.length === 1 ? each[0]! : log(div(each.map(exp).reduce(add), each.length));
}

/** Where the rows of a step looked. */
export class Seen {
  readonly #weights: Float32Array;
  readonly #looks: Looks;

  constructor(weights: Float32Array, looks: Looks) {
    this.#weights = weights;
    this.#looks = looks;
  }

  of(row: number): Float32Array {
    const [most, memories] = this.#looks.shape;
    const place = this.#looks.placeOf[row]!;
    const S = this.#weights.length / (most * memories);
    const at = (place % memories) * most + Math.floor(place / memories);
    return this.#weights.subarray(at * S, (at + 1) * S);
  }
}

export interface StepOptions {
  /** How many of the likeliest tokens of each row to give. */
  count: number;
  /** Tokens that are never written. */
  never?: readonly number[];
}

/** Low enough that no search takes it. */
const NEVER = -1e9;

/**
 * The steps of a beam search over what networks write, row by row; several are an ensemble, whose probabilities are averaged.
 * To be used within a `step()`, in which what the networks begin with was computed: sequence n is its row n.
 */
export class DecoderSteps {
  readonly #running: Running[];
  readonly #options: StepOptions;
  /** The sequence of each row, and of each memory. */
  #sequences: Int32Array;
  #held: Int32Array;

  constructor(begun: readonly Running[], options: StepOptions) {
    this.#running = begun.map((one) => ({ ...one }));
    this.#options = options;
    const N = begun[0]!.state.recurrent.h.shape[1]!;
    this.#sequences = Int32Array.from({ length: N }, (_, n) => n);
    this.#held = this.#sequences;
  }

  /** The likeliest tokens of each row and, of networks that look, where the first of them looked. */
  next(parents: Int32Array, tokens: Int32Array): Continuations & { seen: Seen | undefined } {
    this.#sequences = parents.map((parent) => this.#sequences[parent]!);
    this.#drop();
    const looks = this.#looks();
    const rows = tensor(parents);
    const { states, ...found } = step(() =>
      noGrad(() => {
        const outs = this.#running.map(({ network, state: { recurrent, beside, memory } }) => {
          const chosen = mapParts(recurrent, (part) => gather(part, rows, 1));
          const state = { recurrent: chosen, beside: beside && gather(beside, rows, 1), memory };
          return network.decode(tensor(tokens, [1, tokens.length]), state, looks);
        });
        const logits = outs.map((out) => out.logits);
        const top = this.#top(logits.length === 1 ? logits[0]! : logProbsOf(logits));
        const { weights } = outs[0]!;
        return {
          logProbs: top.logProbs.toArray(),
          tokens: top.tokens.toArray(),
          seen: weights && new Seen(weights.toArray() as Float32Array, looks),
          states: outs.map(({ state: { recurrent, beside } }) => ({ recurrent, beside })),
        };
      }),
    );
    for (const [i, one] of this.#running.entries()) one.state = { ...states[i]!, memory: one.state.memory };
    return found;
  }

  #top(logits: Tensor) {
    const V = logits.shape[2]!;
    const { count, never = [] } = this.#options;
    if (never.length === 0) return topLogProbs(logits, Math.min(count, V));
    const mask = new Float32Array(V);
    for (const token of never) mask[token] = NEVER;
    return topLogProbs(add(logits, tensor(mask)), Math.min(count, V - never.length));
  }

  /** Lets go of the memories of sequences that are done, once they are most of them. */
  #drop(): void {
    const live = new Set(this.#sequences);
    if (2 * live.size > this.#held.length) return;
    const kept = Int32Array.from(this.#held.keys()).filter((place) => live.has(this.#held[place]!));
    const places = tensor(kept);
    this.#held = kept.map((place) => this.#held[place]!);
    for (const { state } of this.#running) {
      const { memory } = state;
      if (memory) state.memory = noGrad(() => chooseMemory(memory, places));
    }
  }

  #looks(): Looks {
    const memories = this.#held.length;
    const memoryOf = new Map(Array.from(this.#held, (sequence, memory) => [sequence, memory]));
    const counts = new Int32Array(memories);
    const placeOf = this.#sequences.map((sequence) => {
      const memory = memoryOf.get(sequence)!;
      return counts[memory]!++ * memories + memory;
    });
    const most = Math.max(...counts);
    const rowOf = new Int32Array(most * memories);
    for (const [row, place] of placeOf.entries()) rowOf[place] = row;
    return { shape: [most, memories], rowOf, placeOf };
  }
}
