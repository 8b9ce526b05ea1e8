import { backend } from "../../autograd/backend.ts";
import { noGrad, step } from "../../autograd/step.ts";
import { Recording } from "../../engine/recording.ts";
import { ShapeError, UsageError } from "../../errors.ts";
import { assign } from "../../ops/in-place.ts";
import { lastingView } from "../../tensor/access.ts";
import { parameter, persistentZeros, type Tensor } from "../../tensor/tensor.ts";
import type { Recurrent, RecurrentOptions } from "./recurrent.ts";
import { checkState, type HiddenState, mapParts } from "./state.ts";

type Layer<S extends HiddenState> = Recurrent<S, Required<RecurrentOptions>>;

/**
 * A recurrent layer that reads one time step after the other as they come, and keeps its state. Its weights are packed
 * once, as they are when the stream is made; a step then allocates nothing, and gives the bits that `forward` gives over
 * the whole sequence. There is no dropout.
 */
export class RecurrentStream<S extends HiddenState> {
  readonly batchSize: number;
  readonly #layer: Layer<S>;
  readonly #recording: Recording;
  readonly #state: S;
  /** Where a step reads and leaves its numbers in the engine. */
  readonly #x: Float32Array;
  readonly #y: Float32Array;
  readonly #output: Float32Array;

  /** @internal Use `stream()` of the layer. */
  constructor(layer: Layer<S>, batchSize: number) {
    if (backend().name !== "wasm") {
      throw new UsageError("stream: must run on the WebAssembly kernels, the reference has none to record");
    }
    this.batchSize = batchSize;
    this.#layer = layer;
    const x = persistentZeros([batchSize, layer.options.inputSize]);
    const y = persistentZeros([batchSize, layer.outputSize]);
    const state = mapParts(layer.zeroState(batchSize), (part) => persistentZeros(part.shape));
    this.#state = state;
    this.#recording = withCopiedWeights(layer, (weights) => {
      const compute = () => {
        const next = layer.step(x, state);
        assign(y, next.output);
        for (const name in next.state) assign(state[name] as Tensor, next.state[name] as Tensor);
      };
      const memory = [x, y, ...Object.values<Tensor>(state), ...weights].map((t) => t.storage);
      return new Recording(() => step(() => noGrad(compute)), memory);
    });
    this.#x = lastingView(x.storage) as Float32Array;
    this.#y = lastingView(y.storage) as Float32Array;
    this.#output = new Float32Array(y.size);
    this.reset();
  }

  /**
   * One time step: batchSize · inputSize numbers, row by row, give batchSize · outputSize. The array is the stream's own,
   * and the next step overwrites it: copy what you want to keep.
   */
  step(x: ArrayLike<number>): Float32Array {
    if (x.length !== this.#x.length) {
      const { name } = this.#layer.constructor;
      throw new ShapeError(`${name}: step must get ${this.#x.length} numbers, got ${x.length}`);
    }
    this.#x.set(x);
    this.#recording.repeat();
    this.#output.set(this.#y);
    return this.#output;
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

/** Runs f while the layer has copies of its weights, which nobody will change, and drops nothing. */
function withCopiedWeights<S extends HiddenState, T>(layer: Layer<S>, f: (weights: Tensor[]) => T): T {
  const weights = Object.fromEntries(layer.namedParameters());
  const copies = Object.fromEntries(
    Object.entries(weights).map(([name, p]) => [name, parameter(p.toArray(), p.shape)]),
  );
  const { training } = layer;
  Object.assign(layer, copies, { training: false });
  try {
    return f(Object.values(copies));
  } finally {
    Object.assign(layer, weights, { training });
  }
}
