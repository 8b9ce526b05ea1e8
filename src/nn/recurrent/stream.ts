import { backend, workspace } from "../../autograd/backend.ts";
import { noGrad, step } from "../../autograd/step.ts";
import { Recording } from "../../engine/recording.ts";
import { ShapeError, UsageError } from "../../errors.ts";
import { keepingPacks, type Packs } from "../../ops/gemm.ts";
import { assign } from "../../ops/in-place.ts";
import { toInt8 } from "../../ops/int8.ts";
import { lastingView } from "../../tensor/access.ts";
import { parameter, persistentZeros, type Tensor } from "../../tensor/tensor.ts";
import type { WeightPrecision } from "../int8.ts";
import type { Recurrent, RecurrentOptions } from "./recurrent.ts";
import { checkState, type HiddenState, mapParts } from "./state.ts";

type Layer<S extends HiddenState> = Recurrent<S, Required<RecurrentOptions>>;

/** Rows that are computed at once where many steps are there. */
const BLOCKS = [32, 8];

/** A number of steps, recorded, and views of where it reads and leaves its numbers in the engine. */
interface Recorded {
  steps: number;
  recording: Recording;
  x: Float32Array;
  y: Float32Array;
}

/**
 * A recurrent layer that reads time steps as they come, and keeps its state. Its weights are packed once, as they are
 * when the stream is made; a step then allocates nothing, and gives the bits that `forward` gives over the whole
 * sequence. There is no dropout.
 */
export class RecurrentStream<S extends HiddenState> {
  readonly batchSize: number;
  readonly #layer: Layer<S>;
  readonly #state: S;
  /** One step, and before it blocks of more. */
  readonly #recorded: readonly Recorded[];
  #output: Float32Array;

  /** @internal Use `stream()` of the layer. */
  constructor(layer: Layer<S>, batchSize: number, precision: WeightPrecision) {
    if (backend().name !== "wasm") {
      throw new UsageError("stream: must run on the WebAssembly kernels, the reference has none to record");
    }
    this.batchSize = batchSize;
    this.#layer = layer;
    const state = mapParts(layer.zeroState(batchSize), (part) => persistentZeros(part.shape));
    this.#state = state;
    const blocks = BLOCKS.map((rows) => Math.floor(rows / batchSize)).filter((steps) => steps > 1);
    const packs: Packs = { made: new Map(), room: workspace };
    this.#recorded = withCopiedWeights(layer, precision, (weights) =>
      keepingPacks(packs, () => [...blocks, 1].map((steps) => record(layer, steps, state, weights))),
    );
    this.#output = new Float32Array(this.#recorded.at(-1)!.y.length);
    this.reset();
  }

  /**
   * One time step: batchSize · inputSize numbers, row by row, give batchSize · outputSize. The array is the stream's own,
   * and the next step overwrites it: copy what you want to keep.
   */
  step(x: ArrayLike<number>): Float32Array {
    const one = this.#recorded.at(-1)!;
    if (x.length !== one.x.length) {
      const { name } = this.#layer.constructor;
      throw new ShapeError(`${name}: step must get ${one.x.length} numbers, got ${x.length}`);
    }
    one.x.set(x);
    one.recording.repeat();
    this.#output.set(one.y);
    return this.#output.length === one.y.length ? this.#output : this.#output.subarray(0, one.y.length);
  }

  /**
   * Many time steps that are there at once, one after the other, with the bits of `step` in less time: what does not
   * depend on the step before is computed for many together. T · batchSize · inputSize numbers give T · batchSize ·
   * outputSize. The array is the stream's own.
   */
  steps(x: Float32Array): Float32Array {
    const one = this.#recorded.at(-1)!;
    const T = x.length / one.x.length;
    if (!Number.isInteger(T)) {
      const { name } = this.#layer.constructor;
      throw new ShapeError(`${name}: steps must get a multiple of ${one.x.length} numbers, got ${x.length}`);
    }
    if (this.#output.length < T * one.y.length) this.#output = new Float32Array(T * one.y.length);
    let t = 0;
    for (const { steps, recording, x: block, y } of this.#recorded) {
      for (; t + steps <= T; t += steps) {
        block.set(x.subarray(t * one.x.length, (t + steps) * one.x.length));
        recording.repeat();
        this.#output.set(y, t * one.y.length);
      }
    }
    return this.#output.subarray(0, T * one.y.length);
  }

  /** A copy of the state, such as `forward` takes and gives. */
  get state(): S {
    return mapParts(this.#state, (part) => part.detach());
  }

  /** Goes back to the beginning, or on from a state. */
  reset(state: S = this.#layer.zeroState(this.batchSize)): void {
    checkState(this.#layer.constructor.name, state, this.#layer.stateShapes(this.batchSize));
    for (const name in this.#state) (this.#state[name] as Tensor).set((state[name] as Tensor).toArray());
  }
}

/** The layer over some steps, from `state`, which it overwrites. */
function record<S extends HiddenState>(
  layer: Layer<S>,
  steps: number,
  state: S,
  weights: Tensor[],
): Recorded {
  const x = persistentZeros([steps, state.h.shape[1]!, layer.options.inputSize]);
  const y = persistentZeros([steps, state.h.shape[1]!, layer.outputSize]);
  const compute = () => {
    const next = layer.forward(x, { state });
    assign(y, next.output);
    for (const name in next.state) assign(state[name] as Tensor, next.state[name] as Tensor);
  };
  const memory = [x, y, ...Object.values<Tensor>(state), ...weights].map(({ storage }) => storage);
  return {
    steps,
    recording: new Recording(() => step(() => noGrad(compute)), memory),
    x: lastingView(x.storage) as Float32Array,
    y: lastingView(y.storage) as Float32Array,
  };
}

/** Runs f while the layer has copies of its weights, which nobody will change, and drops nothing. */
function withCopiedWeights<S extends HiddenState, T>(
  layer: Layer<S>,
  precision: WeightPrecision,
  f: (weights: Tensor[]) => T,
): T {
  const weights = Object.fromEntries(layer.namedParameters());
  const small = new Set(precision === "int8" ? layer.int8Weights() : []);
  const copy = (name: string, p: Tensor) => {
    if (p.dtype === "int8") return p; // never changes
    return small.has(name) ? toInt8(p) : parameter(p.toArray(), p.shape);
  };
  const copies = Object.fromEntries(Object.entries(weights).map(([name, p]) => [name, copy(name, p)]));
  const { training } = layer;
  Object.assign(layer, copies, { training: false });
  try {
    return f(Object.values(copies));
  } finally {
    Object.assign(layer, weights, { training });
  }
}
