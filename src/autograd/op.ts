import type { DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";

/**
 * An op: shape rule, forward, backward. It is written once against names, and each backend supplies its own kind of
 * buffer `B` for them: an address for WebAssembly, a Float64Array for the reference. An input that was left out, a
 * gradient nobody asked for or that never arrived, is `0` or an empty array.
 */
export interface Spec {
  shape: Shape;
  dtype?: DType;
}

export interface Layout<O extends string, S extends string> {
  outputs: Record<O, Shape | Spec>;
  /** What backward needs of forward, and forward's own working space; gone at the end of the step. */
  saved: Record<S, Shape | Spec>;
}

export interface ForwardContext<I extends string, O extends string, S extends string, B> {
  shapes: Record<I, Shape>;
  inputs: Record<I, B>;
  outputs: Record<O, B>;
  saved: Record<S, B>;
}

/** Of forward alone: which inputs are int8 weights, see ops/int8.ts. An op that takes none need not look. */
export interface Int8Inputs<I extends string> {
  int8: Readonly<Record<I, boolean>>;
}

export interface BackwardContext<I extends string, O extends string, S extends string, B>
  extends ForwardContext<I, O, S, B> {
  gradOutputs: Record<O, B>;
  /** Where to add (never to assign) the gradients. */
  gradInputs: Record<I, B>;
}

export interface Passes<I extends string, O extends string, S extends string, A, B> {
  forward(context: ForwardContext<I, O, S, B>, attributes: A): void;
  /** Absent: the op has no gradient (argmax, an optimizer's update). */
  backward?(context: BackwardContext<I, O, S, B>, attributes: A): void;
}

/** The WebAssembly passes stand in the op itself, the reference's under `unrolled/testing`, found by name. */
export interface Op<I extends string, O extends string, S extends string, A>
  extends Passes<I, O, S, A, number> {
  readonly name: string;
  forward(context: ForwardContext<I, O, S, number> & Int8Inputs<I>, attributes: A): void;
  /** The shape rule: refuses what does not fit. */
  infer(shapes: Record<I, Shape>, attributes: A): Layout<O, S>;
  /**
   * For profiles: multiplications and additions of the matrix products of forward, none if left out, and the bytes it
   * moves, if that is not each tensor once.
   */
  cost?(shapes: Record<I, Shape>, attributes: A): { flops?: number; bytes?: number };
}

// biome-ignore lint/suspicious/noExplicitAny: stands for an op of any signature, which no type but any does
export type AnyOp = Op<any, any, any, any>;

/** The reference passes of an op, in plain TypeScript over float64. */
export type ReferenceOf<T> =
  T extends Op<infer I, infer O, infer S, infer A> ? Passes<I, O, S, A, Float64Array> : never;
