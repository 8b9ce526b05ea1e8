export { linear } from "./linear.ts";
export { matmul } from "./matmul.ts";
export { tanh } from "./pointwise.ts";
