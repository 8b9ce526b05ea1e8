import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { HiddenState } from "./state.ts";

/** One layer in one direction, as the fused ops take it. */
export interface CellInputs {
  /** [T, N, I] */
  input: Tensor;
  weightIh: Tensor;
  /** Absent, as is biasHh, where `readsState` is false. */
  weightHh: Tensor;
  biasIh: Tensor | undefined;
  biasHh: Tensor | undefined;
  /** The cell's own weights, by name. */
  extra: Readonly<Record<string, Tensor | undefined>>;
  lengths: Tensor | undefined;
}

/** All that the kinds of recurrent layer differ in. */
export interface Cell<S extends HiddenState> {
  /** Its weights have this many times H rows. */
  readonly gates: number;
  /** Whether the gates read the state too, through weight_hh and bias_hh. Default true. */
  readonly readsState?: boolean;
  /** Whether weight_ih and weight_hh may be of int8. Default false. */
  readonly takesInt8?: boolean;
  /** The width of each part of the state; that of h is also the output's, if `outputSize` does not say otherwise. */
  readonly stateWidths: Readonly<Record<keyof S & string, number>>;
  readonly outputSize?: number;
  /** Weights beside weight_ih, weight_hh and the biases, of a layer with so many inputs: `weight_<name>_l0` and so on. */
  extraWeights?(inputSize: number): Readonly<Record<string, Shape>>;
  /** Gives a layer's weights, by the start of their names, other values than those they are made with, uniform in ±1/√H. */
  initialize?(weights: Readonly<Record<string, Tensor>>): void;
  /** A whole sequence through the layer, from `state`, or from zeros. */
  run(inputs: CellInputs, state: S | undefined, reverse: boolean): { output: Tensor; state: S };
}
