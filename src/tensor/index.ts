export type { DType, Values } from "./dtype.ts";
export { Generator, manualSeed } from "./random.ts";
export type { Shape } from "./shape.ts";
export { type NestedNumbers, parameter, Tensor, tensor, zeros } from "./tensor.ts";
