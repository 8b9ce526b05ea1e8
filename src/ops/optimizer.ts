import { optimizerKernels } from "#kernels";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";

const run = use(optimizerKernels);

/**
 * The updates of the optimizers (src/optim), one fused pass each. Parameter and state change in place and the gradient
 * is left zero. They have no outputs and no backward. weightDecay is L2, added to the gradient.
 */
type Update<I extends string, A> = Op<"parameter" | "gradient" | I, never, never, A>;

const nothing = { outputs: {}, saved: {} };

/** Vectors of four, which the kernels count in, and how many a thread takes. */
function vectors(shape: Shape, flops: number): [count: number, chunk: number] {
  const count = Math.ceil(sizeOf(shape) / 4);
  return [count, share(count, 4 * count * flops, 16)];
}

export interface SgdAttributes {
  learningRate: number;
  momentum: number;
  /** What of the gradient enters the velocity: 1 − dampening, and 1 in the first step. */
  gain: number;
  nesterov: boolean;
  weightDecay: number;
}

export const sgdOp: Update<"velocity", SgdAttributes> = {
  name: "sgd",
  infer: () => nothing,
  forward({ shapes, inputs }, { nesterov, ...rest }) {
    const { parameter: p, gradient: g, velocity } = inputs;
    run(
      "sgdUpdate",
      { p, g, velocity, nesterov: nesterov ? 1 : 0, ...rest },
      ...vectors(shapes.parameter, 8),
    );
  },
};

export interface AdagradAttributes {
  learningRate: number;
  epsilon: number;
  weightDecay: number;
}

export const adagradOp: Update<"sum", AdagradAttributes> = {
  name: "adagrad",
  infer: () => nothing,
  forward({ shapes, inputs: { parameter: p, gradient: g, sum } }, attributes) {
    run("adagradUpdate", { p, g, sum, ...attributes }, ...vectors(shapes.parameter, 20));
  },
};

export interface RmspropAttributes {
  learningRate: number;
  alpha: number;
  epsilon: number;
  momentum: number;
  weightDecay: number;
}

export const rmspropOp: Update<"square" | "mean" | "velocity", RmspropAttributes> = {
  name: "rmsprop",
  infer: () => nothing,
  forward({ shapes, inputs }, { alpha, ...rest }) {
    const { parameter: p, gradient: g, square, mean, velocity } = inputs;
    const args = { p, g, square, mean, velocity, oneMinusAlpha: 1 - alpha, ...rest };
    run("rmspropUpdate", args, ...vectors(shapes.parameter, 24));
  },
};

export interface AdamAttributes {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** AdamW: the parameter itself shrinks by learningRate·weightDecay, instead of L2. */
  decoupled: boolean;
  /** The number of this update, from 1. */
  step: number;
}

export const adamOp: Update<"mean" | "square", AdamAttributes> = {
  name: "adam",
  infer: () => nothing,
  forward({ shapes, inputs: { parameter: p, gradient: g, mean, square } }, attributes) {
    const { learningRate, beta1, beta2, epsilon, weightDecay, decoupled, step } = attributes;
    const args = {
      p,
      g,
      mean,
      square,
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      stepSize: learningRate / (1 - beta1 ** step),
      correction: 1 / Math.sqrt(1 - beta2 ** step),
      epsilon,
      weightDecay: decoupled ? 0 : weightDecay,
      shrink: decoupled ? learningRate * weightDecay : 0,
    };
    run("adamUpdate", args, ...vectors(shapes.parameter, 30));
  },
};

export const clampGradientOp: Op<"x", never, never, { limit: number }> = {
  name: "clampGradient",
  infer: () => nothing,
  forward({ shapes, inputs: { x } }, { limit }) {
    run("clampGradient", { x, limit }, ...vectors(shapes.x, 2));
  },
};
