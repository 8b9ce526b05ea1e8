/**
 * Every op definition, by name. For tests and other backends alone: the library imports ops one by one, so that a bundle
 * holds only those it uses.
 */

export { linearOp as linear } from "./linear.ts";
export { matmulOp as matmul } from "./matmul.ts";
export { tanhOp as tanh } from "./pointwise.ts";
