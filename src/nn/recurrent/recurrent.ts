import * as v from "valibot";
import { OptionError, UsageError } from "../../errors.ts";
import { add } from "../../ops/binary.ts";
import { dropout } from "../../ops/dropout.ts";
import { concat } from "../../ops/slice.ts";
import { checkOptions, numberIn, oneOf, recordOf, trueOrFalse, wholeNumber } from "../../options.ts";
import type { Shape } from "../../tensor/shape.ts";
import { type Tensor, zeros } from "../../tensor/tensor.ts";
import { uniform, zeroParameter } from "../init.ts";
import { type WeightPrecision, weightPrecisions } from "../int8.ts";
import { Module } from "../module.ts";
import type { Cell, CellInputs } from "./cell.ts";
import { checkState, type HiddenState, stackStates, stateRow } from "./state.ts";
import { RecurrentStream } from "./stream.ts";

export interface RecurrentOptions {
  /** I, the width of the input. */
  inputSize: number;
  /** H, the width of the state. */
  hiddenSize: number;
  /** Layers on top of each other, each reading the outputs of the one below. 1 if left out. */
  numLayers?: number;
  /** Whether there are biases: two per layer, bias_ih and bias_hh, as in PyTorch. */
  bias?: boolean;
  /** Probability of dropping an element between layers, in training; a single layer has no between. */
  dropout?: number;
  /** Whether the same elements are dropped at every time step (Gal & Ghahramani 2016). False if left out. */
  variationalDropout?: boolean;
  /** Probability of dropping an element of weight_hh, in training, for a whole sequence (Merity et al. 2017). 0 if left out. */
  weightDrop?: number;
  /** Whether each layer reads in both directions. */
  bidirectional?: boolean;
  /** What becomes of the two directions' outputs: side by side ("concat", as in PyTorch) or added up. */
  merge?: "concat" | "sum";
}

/** How a cell runs through a sequence. */
export interface RunOptions {
  reverse: boolean;
  training: boolean;
  /** A stream of random numbers for a part of this layer's state. */
  stream(part: string): number;
}

/** The schema of `RecurrentOptions`, for the layers to add theirs to. */
export const recurrentEntries = {
  inputSize: wholeNumber(1, 1_000_000),
  hiddenSize: wholeNumber(1, 1_000_000),
  numLayers: v.optional(wholeNumber(1, 1000), 1),
  bias: v.optional(trueOrFalse(), true),
  dropout: v.optional(numberIn({ from: 0, below: 1 }), 0),
  variationalDropout: v.optional(trueOrFalse(), false),
  weightDrop: v.optional(numberIn({ from: 0, below: 1 }), 0),
  bidirectional: v.optional(trueOrFalse(), false),
  merge: v.optional(oneOf(["concat", "sum"]), "concat"),
};

const schema = recordOf(recurrentEntries);

/** The check of the options of a layer that has no others. */
export const plainOptions = (name: string) => (options: unknown) => checkOptions(name, schema, options);

export interface SequenceOptions<S> {
  /** The state to begin with, as an earlier call returned it; zeros if left out. */
  state?: S | undefined;
  /** int32 [N]: how many steps of each sequence count; all of them if left out. */
  lengths?: Tensor | undefined;
}

export interface StreamOptions<S> {
  /** N, the sequences that go on in step. 1 if left out. */
  batchSize?: number;
  /** Where to begin; zeros if left out. */
  state?: S;
  /** What the stream's own copy of the weights is kept as. "float32" if left out. */
  weights?: WeightPrecision;
}

/**
 * Layers of a recurrent cell, in one direction or both: what RNN, LSTM and GRU share. Each part of a state is
 * [layers · directions, N, width]; with two directions, rows 2l and 2l + 1 are layer l forwards and backwards. Weights
 * have PyTorch's names (weight_ih_l0, bias_hh_l1_reverse, …) and its initial values, uniform in ±1/√H.
 */
export abstract class Recurrent<S extends HiddenState, O extends Required<RecurrentOptions>> extends Module {
  [weight: `weight_${string}`]: Tensor;
  [bias: `bias_${string}`]: Tensor;
  readonly options: O;
  readonly #cell: Cell<S>;
  readonly #check: (options: unknown) => O;

  /** `check` refuses options that do not fit and fills in the defaults. */
  constructor(options: unknown, check: (options: unknown) => O, cell: (options: O) => Cell<S>) {
    super();
    this.options = check(options);
    this.#check = check;
    this.#cell = cell(this.options);
    if (this.options.weightDrop > 0 && this.#cell.readsState === false) {
      const what = "weightDrop is of weight_hh, and its gates read the input alone";
      throw new OptionError(`${this.constructor.name}: ${what}`);
    }
    for (let layer = 0; layer < this.options.numLayers; layer++) {
      for (const suffix of this.#suffixes(layer)) this.#createWeights(layer, suffix);
    }
  }

  /** Width of the output: of h, or twice that where two directions stand side by side. */
  get outputSize(): number {
    const { bidirectional, merge } = this.options;
    const { outputSize = this.#cell.stateWidths.h } = this.#cell;
    return outputSize * (bidirectional && merge === "concat" ? 2 : 1);
  }

  /** What the names of a layer's weights end in, for each direction. */
  #suffixes(layer: number): string[] {
    return this.options.bidirectional ? [`_l${layer}`, `_l${layer}_reverse`] : [`_l${layer}`];
  }

  #createWeights(layer: number, suffix: string): void {
    const { gates, readsState = true, stateWidths } = this.#cell;
    const { inputSize, hiddenSize, bias } = this.options;
    const bound = 1 / Math.sqrt(hiddenSize);
    const weights: Record<string, Tensor> = {};
    const create = (name: `weight_${string}` | `bias_${string}`, shape: Shape) => {
      weights[name] = uniform(zeroParameter(shape), -bound, bound);
      this[`${name}${suffix}`] = weights[name];
    };
    const rows = gates * hiddenSize;
    const inputs = layer === 0 ? inputSize : this.outputSize;
    create("weight_ih", [rows, inputs]);
    if (readsState) create("weight_hh", [rows, stateWidths.h]);
    if (bias) create("bias_ih", [rows]);
    if (bias && readsState) create("bias_hh", [rows]);
    const extra = this.#cell.extraWeights?.(inputs) ?? {};
    for (const [name, shape] of Object.entries(extra)) create(`weight_${name}`, shape);
    this.#cell.initialize?.(weights);
  }

  #inputs(suffix: string, input: Tensor, lengths: Tensor | undefined): CellInputs {
    const names = Object.keys(this.#cell.extraWeights?.(0) ?? {});
    const { weightDrop } = this.options;
    let weightHh = this[`weight_hh${suffix}`]!;
    if (weightDrop > 0 && this.training) {
      weightHh = dropout(weightHh, weightDrop, { stream: this.randomStream(`hh${suffix}`), training: true });
    }
    return {
      input,
      weightIh: this[`weight_ih${suffix}`]!,
      weightHh,
      biasIh: this[`bias_ih${suffix}`],
      biasHh: this[`bias_hh${suffix}`],
      extra: Object.fromEntries(names.map((name) => [name, this[`weight_${name}${suffix}`]])),
      lengths,
    };
  }

  /**
   * input [T, N, inputSize] → output [T, N, outputSize], the last layer's, zero past a sequence's length; and the state
   * after each sequence's last step (in the reverse direction, its first).
   */
  forward(input: Tensor, { state, lengths }: SequenceOptions<S> = {}): { output: Tensor; state: S } {
    if (state) checkState(this.constructor.name, state, this.stateShapes(input.shape[1] ?? 0));
    const { numLayers, dropout: p, variationalDropout: variational } = this.options;
    const states: S[] = [];
    let output = input;
    for (let layer = 0; layer < numLayers; layer++) {
      if (layer > 0 && p > 0) {
        const stream = this.randomStream(`l${layer}`);
        output = dropout(output, p, { stream, training: this.training, variational });
      }
      const outputs = this.#suffixes(layer).map((suffix, direction) => {
        const inputs = this.#inputs(suffix, output, lengths);
        const before = state && stateRow(state, states.length);
        const done = this.runCell(this.#cell, inputs, before, {
          reverse: direction === 1,
          training: this.training,
          stream: (part) => this.randomStream(part + suffix),
        });
        states.push(done.state);
        return done.output;
      });
      output = this.#merge(outputs);
    }
    return { output, state: stackStates(states) };
  }

  /** @internal A whole sequence through one layer in one direction; zoneout has its own. */
  runCell(cell: Cell<S>, inputs: CellInputs, before: S | undefined, { reverse }: RunOptions) {
    return cell.run(inputs, before, reverse);
  }

  #merge([forwards, backwards]: Tensor[]): Tensor {
    if (!backwards) return forwards!;
    return this.options.merge === "sum" ? add(forwards!, backwards) : concat([forwards!, backwards], 2);
  }

  /**
   * One time step: x [N, inputSize] → output [N, outputSize] and the next state, with the same bits as `forward` gives
   * over all steps at once. For many steps `stream` is faster.
   */
  step(x: Tensor, state?: S): { output: Tensor; state: S } {
    this.#refuseBidirectional("step");
    const next = this.forward(x.reshape(1, ...x.shape), { state });
    return { output: next.output.reshape(...next.output.shape.slice(1)), state: next.state };
  }

  #refuseBidirectional(what: string): void {
    if (!this.options.bidirectional) return;
    throw new UsageError(`${this.constructor.name}: a bidirectional layer has no ${what}`, {
      hint: "its output depends on the whole input: use forward",
    });
  }

  /**
   * A session of such steps that keeps its state: for what comes in bit by bit. With int8 `weights` (see `toInt8`) a layer
   * that the processor's cache is too small for runs several times as fast, with outputs that are a little off.
   */
  stream({ batchSize = 1, state, weights = "float32" }: StreamOptions<S> = {}): RecurrentStream<S> {
    this.#refuseBidirectional("stream");
    if (!weightPrecisions.includes(weights)) {
      throw new OptionError(`${this.constructor.name}: weights must be float32 or int8, got ${weights}`);
    }
    if (weights === "int8" && !this.#cell.takesInt8) {
      throw new OptionError(
        `${this.constructor.name}: weights must be float32, its cell has no int8 products`,
      );
    }
    const stream = new RecurrentStream<S>(this, batchSize, weights);
    if (state) stream.reset(state);
    return stream;
  }

  stateShapes(batchSize: number): Record<keyof S, Shape> {
    const rows = this.options.numLayers * (this.options.bidirectional ? 2 : 1);
    const shapes: Record<string, Shape> = {};
    for (const [name, width] of Object.entries<number>(this.#cell.stateWidths)) {
      shapes[name] = [rows, batchSize, width];
    }
    return shapes as Record<keyof S, Shape>;
  }

  /** The state that a sequence begins with if none is given. */
  zeroState(batchSize: number): S {
    const parts: Record<string, Tensor> = {};
    for (const [name, shape] of Object.entries<Shape>(this.stateShapes(batchSize)))
      parts[name] = zeros(shape);
    return parts as S;
  }

  /** @internal */
  override int8Weights(): readonly string[] {
    if (!this.#cell.takesInt8) return [];
    return [...this.namedParameters().keys()].filter((name) => /^weight_[ih]h_/.test(name));
  }

  protected override describe(): string {
    const { inputSize, hiddenSize, ...rest } = this.options;
    const defaults: Record<string, unknown> = { ...this.#check({ inputSize, hiddenSize }) };
    const unusual = Object.entries(rest).filter(([name, value]) => value !== defaults[name]);
    return [inputSize, hiddenSize, ...unusual.map(([name, value]) => `${name}=${value}`)].join(", ");
  }
}
