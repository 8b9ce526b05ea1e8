export { add, div, maximum, minimum, mul, sub } from "./binary.ts";
export { type GruOptions, gru } from "./gru.ts";
export { linear } from "./linear.ts";
export { matmul } from "./matmul.ts";
export { abs, clamp, exp, log, neg, pow, relu, sigmoid, sqrt, square, tanh } from "./pointwise.ts";
export { type Nonlinearity, type RnnOptions, rnn } from "./rnn.ts";
export type { SequenceInputs } from "./sequence.ts";
