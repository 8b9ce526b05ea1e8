import * as v from "valibot";
import { FormatError } from "../errors.ts";
import { checkOptions, numberIn, recordOf, type SchemasOf, wholeNumber } from "../options.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { conjugateGradient, dot } from "./conjugate-gradient.ts";

/** What is to be minimised, at the parameters as they are when it is asked. */
export interface Curvature {
  /** The loss on the batch whose gradient the parameters have. */
  loss(): number;
  /**
   * (G + structural·S)·v, all of the parameters one after the other: G is the Gauss–Newton matrix of the loss, S that of a
   * distance of hidden states from what they are now.
   */
  product(v: Float64Array, structural: number): Float64Array;
}

export interface HessianFreeOptions {
  /** λ at first: how much of the identity is added to G. Default 1. */
  damping?: number;
  /** μ: what is added besides is λ·μ·S. Default 0. */
  structuralDamping?: number;
  /** Of conjugate gradients, in a step. Default 200. */
  maxIterations?: number;
}

const schema = recordOf({
  damping: v.optional(numberIn({ above: 0 }), 1),
  structuralDamping: v.optional(numberIn({ from: 0 }), 0),
  maxIterations: v.optional(wholeNumber(1, 1_000_000), 200),
} satisfies SchemasOf<HessianFreeOptions>);

/** How much of the last step's direction conjugate gradients begin with. */
const DECAY = 0.95;
/** λ grows and falls by this, as the quadratic model is believed less or more (Levenberg–Marquardt). */
const DAMPING_FACTOR = 1.5;
/** A step must bring this part of what its slope promises, or is made shorter by SHRINK, at most so many times. */
const ARMIJO = 0.01;
const SHRINK = 0.8;
const MAX_SHRINKS = 60;

/**
 * Hessian-free optimization (Martens 2010; for recurrent networks Martens & Sutskever 2011): each step minimises
 *
 *     gᵀd + ½ dᵀ(G + λI + λμS)d
 *
 * over d by conjugate gradients, which need no matrix but its products, goes back along the solutions they came by to the
 * one with the least loss, and then as far as the loss falls. μ > 0 is structural damping: it keeps a step from changing
 * hidden states more than the quadratic model can know.
 */
export class HessianFree {
  /** What the line search begins with. */
  learningRate = 1;
  /** λ. */
  damping: number;
  readonly #parameters: readonly Tensor[];
  readonly #curvature: Curvature;
  readonly #options: Required<HessianFreeOptions>;
  /** The last step's direction. */
  #direction: Float32Array;

  constructor(parameters: Iterable<Tensor>, curvature: Curvature, options: HessianFreeOptions = {}) {
    this.#parameters = [...parameters];
    this.#curvature = curvature;
    this.#options = checkOptions("HessianFree", schema, options);
    this.damping = this.#options.damping;
    this.#direction = new Float32Array(this.#parameters.reduce((sum, { size }) => sum + size, 0));
  }

  /** A step by the gradients that the parameters have; they are then zero. */
  step(): void {
    const curvature = this.#curvature;
    const { structuralDamping, maxIterations } = this.#options;
    const g = this.#takeGradient();
    const from = this.#values();
    const before = curvature.loss();
    const damped = (v: Float64Array) => {
      const Av = curvature.product(v, this.damping * structuralDamping);
      for (let i = 0; i < v.length; i++) Av[i]! += this.damping * v[i]!;
      return Av;
    };
    const start = Float64Array.from(this.#direction, (x) => DECAY * x);
    const iterates = conjugateGradient(
      damped,
      g.map((x) => -x),
      start,
      { maxIterations },
    );
    const last = iterates.at(-1);
    this.#direction = Float32Array.from(last?.x ?? start.fill(0));
    if (!last) return;

    const lossAt = (d: Float64Array, rate: number) => {
      this.#set(from.map((x, i) => x + rate * d[i]!));
      return curvature.loss();
    };
    let best = { d: last.x, loss: lossAt(last.x, 1) };
    // The quadratic model of the last direction, without damping, is what tells how far it can be trusted.
    this.#set(from);
    const model = dot(g, last.x) + 0.5 * dot(last.x, curvature.product(last.x, 0));
    const ratio = (best.loss - before) / model;
    for (const { x } of iterates.slice(0, -1).reverse()) {
      const loss = lossAt(x, 1);
      // Written so that what is no number counts as worse.
      if (!(loss < best.loss) && Number.isFinite(best.loss)) break;
      best = { d: x, loss };
    }
    this.#goAlong(best.d, before, dot(g, best.d), lossAt);
    if (!(ratio >= 0.25)) this.damping *= DAMPING_FACTOR;
    else if (ratio > 0.75) this.damping /= DAMPING_FACTOR;
    this.damping = Math.fround(this.damping);
  }

  /** As far along d as the loss falls, or not at all. */
  #goAlong(
    d: Float64Array,
    before: number,
    slope: number,
    lossAt: (d: Float64Array, rate: number) => number,
  ) {
    let rate = this.learningRate;
    for (let i = 0; i < MAX_SHRINKS; i++, rate *= SHRINK) {
      if (lossAt(d, rate) <= before + ARMIJO * rate * slope) return;
    }
    lossAt(d, 0);
  }

  /** g, as one vector; frozen parameters have none, and stay. */
  #takeGradient(): Float64Array {
    return concatenate(
      this.#parameters.map((parameter) => {
        const gradient = parameter.grad?.toArray() ?? new Float32Array(parameter.size);
        parameter.grad?.set(new Float32Array(parameter.size));
        return gradient;
      }),
    );
  }

  #values(): Float64Array {
    return concatenate(this.#parameters.map((parameter) => parameter.toArray()));
  }

  #set(values: Float64Array): void {
    let at = 0;
    for (const parameter of this.#parameters) {
      parameter.set(values.subarray(at, at + parameter.size));
      at += parameter.size;
    }
  }

  /** What the next step begins with: the direction, and λ. */
  stateDict(): Map<string, Tensor> {
    return new Map([
      ["direction", tensor(this.#direction.slice(), [this.#direction.length])],
      ["damping", tensor(Float32Array.of(this.damping), [1])],
    ]);
  }

  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const [direction, damping] = [state.get("direction"), state.get("damping")];
    if (direction?.size !== this.#direction.length || damping?.size !== 1 || state.size !== 2) {
      throw new FormatError(
        `loadStateDict: the state does not fit HessianFree: must have a direction of ${this.#direction.length} and a damping`,
      );
    }
    this.#direction = Float32Array.from(direction.toArray());
    this.damping = damping.toArray()[0]!;
  }
}

/** @internal */
export function concatenate(parts: readonly ArrayLike<number>[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
