export { add, div, maximum, minimum, mul, sub } from "./binary.ts";
export { linear } from "./linear.ts";
export { matmul } from "./matmul.ts";
export { abs, clamp, exp, log, neg, pow, relu, sigmoid, sqrt, square, tanh } from "./pointwise.ts";
