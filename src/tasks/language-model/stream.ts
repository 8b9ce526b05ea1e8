import { noGrad, step } from "../../autograd/step.ts";
import { Recording } from "../../engine/recording.ts";
import { OptionError } from "../../errors.ts";
import { assign } from "../../ops/in-place.ts";
import { lastingView } from "../../tensor/access.ts";
import { Storage } from "../../tensor/storage.ts";
import { persistentZeros, Tensor } from "../../tensor/tensor.ts";
import type { LanguageModelNetwork, NetworkState } from "./network.ts";

/** A running model: takes a token, gives the logits of the next. */
export interface TokenStream {
  /** The array is the stream's own until the next step. */
  step(token: number): Float32Array | Float64Array;
  /** What the recurrent layers hold, by its name, for another stream to begin with. */
  state(): StreamState;
}

/** h, and of an LSTM c: all layers', one after the other. */
export type StreamState = Record<string, number[]>;

/** One step of the network, recorded: weights packed once, then bare kernel calls on memory of its own. */
interface RecordedStep {
  recording: Recording;
  /** Views of where the step reads and leaves its numbers. */
  token: Int32Array;
  logits: Float32Array;
  state: readonly Float32Array[];
  /** Of the weights that were packed. */
  version: number;
}

/**
 * Lets a network run token by token, in as many streams as one likes. They take turns on one recorded step, each with a
 * state of its own; when the weights have changed, it is recorded anew.
 */
export class TokenStreams {
  readonly #network: LanguageModelNetwork;
  readonly #weights: readonly Tensor[];
  #recorded: RecordedStep | undefined;
  /** The state, kept by its stream, that now stands in the engine. */
  #running: Float32Array[] | undefined;

  constructor(network: LanguageModelNetwork) {
    this.#network = network;
    this.#weights = network.parameters();
  }

  /** A stream at the beginning of a text, or where another was. */
  create(from?: StreamState): TokenStream {
    const parts = Object.entries<Tensor>(this.#network.zeroState(1));
    if (from) checkState(from, parts);
    const state = parts.map(([name, zero]) => Float32Array.from(from?.[name] ?? zero.toArray()));
    const logits = new Float32Array(this.#network.config.vocabularySize);
    return {
      step: (token) => {
        const recorded = this.#load(state);
        if (this.#network.beginsAnewAt(token)) {
          for (const [i, [, zero]] of parts.entries()) recorded.state[i]!.set(zero.toArray());
        }
        recorded.token[0] = token;
        recorded.recording.repeat();
        logits.set(recorded.logits);
        return logits;
      },
      state: () => {
        if (this.#running === state) this.#unload();
        return Object.fromEntries(parts.map(([name], i) => [name, Array.from(state[i]!)]));
      },
    };
  }

  /** The recorded step, with this state in place. */
  #load(state: Float32Array[]): RecordedStep {
    const version = this.#weights.reduce((sum, { storage }) => sum + storage.version, 0);
    const stale = this.#recorded?.version !== version;
    if (!stale && this.#running === state) return this.#recorded!;
    this.#unload();
    if (stale) this.#recorded = record(this.#network, version);
    this.#recorded!.state.forEach((part, i) => {
      part.set(state[i]!);
    });
    this.#running = state;
    return this.#recorded!;
  }

  /** Brings the stream whose state stands in the engine up to date. */
  #unload(): void {
    this.#recorded?.state.forEach((part, i) => {
      this.#running![i]!.set(part);
    });
  }
}

function checkState(state: StreamState, parts: [string, Tensor][]): void {
  const shape = (sizes: [string, number][]) => sizes.map(([name, size]) => `${name} of ${size}`).join(", ");
  const expected = shape(parts.map(([name, { size }]) => [name, size]));
  const got = shape(Object.entries(state).map(([name, { length }]) => [name, length]));
  if (got === expected) return;
  throw new OptionError(`state: is not of this model: must have ${expected}, got ${got || "nothing"}`);
}

function record(network: LanguageModelNetwork, version: number): RecordedStep {
  const { training } = network;
  const token = new Storage("int32", 1, { host: new Int32Array(1), persistent: true });
  const logits = persistentZeros([1, 1, network.config.vocabularySize]);
  const zeros = network.zeroState(1);
  const state = Object.fromEntries(
    Object.entries<Tensor>(zeros).map(([name, part]) => [name, persistentZeros(part.shape)]),
  ) as unknown as NetworkState & Record<string, Tensor>;
  const compute = () => {
    const next = network.forward(new Tensor([1, 1], token), state);
    assign(logits, next.logits);
    for (const [name, part] of Object.entries<Tensor>(next.state)) assign(state[name]!, part);
  };
  network.eval();
  const parts = Object.values<Tensor>(state).map(({ storage }) => storage);
  const recording = new Recording(() => step(() => noGrad(compute)), [token, logits.storage, ...parts]);
  network.train(training);
  return {
    recording,
    token: lastingView(token) as Int32Array,
    logits: lastingView(logits.storage) as Float32Array,
    state: parts.map((part) => lastingView(part) as Float32Array),
    version,
  };
}
