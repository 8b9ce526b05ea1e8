/**
 * Every op definition, by name. For tests and other backends alone: the library imports ops one by one, so that a bundle
 * holds only those it uses.
 */
export { tanhOp as tanh } from "./pointwise.ts";
