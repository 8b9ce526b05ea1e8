import { noGrad, step } from "../../autograd/step.ts";
import type { TransitionModel } from "../../decoding/ctc/language-model.ts";
import { logSoftmax } from "../../ops/softmax.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { LanguageModelParts } from "../language-model/load.ts";
import type { NetworkState } from "../language-model/network.ts";

/** What a network knows after some tokens, the last of which it may not have read yet. */
interface Place {
  /** Of a network that has not read `token`; each part of the state. */
  before: readonly Float32Array[];
  token: number;
  /** What it says when it has. */
  read: { state: Float32Array[]; logProbs: Float32Array } | undefined;
}

/** Places that go through the network at once. */
const BATCH = 256;

/**
 * A recurrent language model as a decoder asks it, from any place to any other: what is asked about together goes through the
 * network together. A sentence is what follows a line break; without one in the vocabulary all first tokens are as likely.
 */
export class NetworkTransitions implements TransitionModel<Place> {
  readonly start: Place;
  logProb = 0;
  readonly #model: LanguageModelParts;
  /** The state at the beginning of a text: its names, and shapes of [what, batch, …]. */
  readonly #zeros: readonly { name: string; shape: readonly number[]; values: Float32Array }[];

  constructor(model: LanguageModelParts) {
    const { network, tokenizer } = model;
    network.refuseBidirectional("say what comes next");
    this.#model = model;
    network.eval();
    this.#zeros = Object.entries<Tensor>(network.zeroState(1)).map(([name, zero]) => {
      return { name, shape: zero.shape, values: Float32Array.from(zero.toArray()) };
    });
    const before = this.#zeros.map(({ values }) => values);
    const { lineBreak } = tokenizer;
    const logProbs = new Float32Array(tokenizer.size).fill(-Math.log(tokenizer.size));
    const read = lineBreak === undefined ? { state: before, logProbs } : undefined;
    this.start = { before, token: lineBreak ?? 0, read };
  }

  step(place: Place, token: number): Place {
    if (!place.read) this.#read([place]);
    const { state, logProbs } = place.read!;
    const { unknown, rareWords = 1 } = this.#model.tokenizer;
    this.logProb = logProbs[token]! - (token === unknown ? Math.log(rareWords) : 0);
    return { before: state, token, read: undefined };
  }

  prepare(places: readonly Place[]): void {
    const unread = [...new Set(places)].filter(({ read }) => !read);
    for (let i = 0; i < unread.length; i += BATCH) this.#read(unread.slice(i, i + BATCH));
  }

  #read(places: readonly Place[]): void {
    const { network } = this.#model;
    const N = places.length;
    const parts = this.#zeros.map(({ values: zero, shape }, part) => {
      const [rows, , ...rest] = shape as [number, number, ...number[]];
      const values = new Float32Array(zero.length * N);
      const width = zero.length / rows;
      for (const [n, { before, token }] of places.entries()) {
        const own = network.beginsAnewAt(token) ? zero : before[part]!;
        for (let r = 0; r < rows; r++)
          values.set(own.subarray(r * width, (r + 1) * width), (r * N + n) * width);
      }
      return { values, shape: [rows, N, ...rest] };
    });
    const { logProbs, state } = step(() =>
      noGrad(() => {
        const given = Object.fromEntries(
          parts.map(({ values, shape }, i) => [this.#zeros[i]!.name, tensor(values, shape)]),
        );
        const tokens = tensor(
          Int32Array.from(places, ({ token }) => token),
          [1, N],
        );
        const next = network.forward(tokens, given as unknown as NetworkState);
        const after = next.state as unknown as Record<string, Tensor>;
        return { logProbs: logSoftmax(next.logits), state: this.#zeros.map(({ name }) => after[name]!) };
      }),
    );
    const all = logProbs.toArray() as Float32Array;
    const after = state.map((part) => part.toArray() as Float32Array);
    const V = all.length / N;
    for (const [n, place] of places.entries()) {
      const own = this.#zeros.map(({ values: zero, shape }, part) => {
        const [width, out] = [zero.length / shape[0]!, new Float32Array(zero.length)];
        for (let r = 0; r < shape[0]!; r++) {
          const from = (r * N + n) * width;
          out.set(after[part]!.subarray(from, from + width), r * width);
        }
        return out;
      });
      place.read = { state: own, logProbs: all.slice(n * V, (n + 1) * V) };
    }
  }
}
