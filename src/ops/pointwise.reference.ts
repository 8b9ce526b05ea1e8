import type { Passes } from "../autograd/op.ts";

/** y = f(x) and dx += dy·f′, element by element. */
function pointwise<A = object>(
  f: (x: number, attributes: A) => number,
  slope: (x: number, y: number, attributes: A) => number,
): Passes<"x", "y", never, A, Float64Array> {
  return {
    forward({ inputs: { x }, outputs: { y } }, attributes) {
      for (let i = 0; i < x.length; i++) y[i] = f(x[i]!, attributes);
    },
    backward({ inputs: { x }, outputs: { y }, gradOutputs, gradInputs }, attributes) {
      for (let i = 0; i < x.length; i++) {
        gradInputs.x[i]! += gradOutputs.y[i]! * slope(x[i]!, y[i]!, attributes);
      }
    },
  };
}

export const neg = pointwise(
  (x) => -x,
  () => -1,
);
export const exp = pointwise(Math.exp, (_, y) => y);
export const log = pointwise(Math.log, (x) => 1 / x);
export const sqrt = pointwise(Math.sqrt, (_, y) => 1 / (2 * y));
export const abs = pointwise(Math.abs, Math.sign);
export const square = pointwise(
  (x) => x * x,
  (x) => 2 * x,
);
export const tanh = pointwise(Math.tanh, (_, y) => 1 - y * y);
export const sigmoid = pointwise(
  (x) => 1 / (1 + Math.exp(-x)),
  (_, y) => y * (1 - y),
);
export const relu = pointwise(
  (x) => Math.max(x, 0),
  (x) => (x > 0 ? 1 : 0),
);
export const pow = pointwise<{ exponent: number }>(
  (x, { exponent }) => x ** exponent,
  (x, _, { exponent }) => (exponent === 0 ? 0 : exponent * x ** (exponent - 1)),
);
export const clamp = pointwise<{ min: number; max: number }>(
  (x, { min, max }) => Math.min(Math.max(x, min), max),
  (x, _, { min, max }) => (x >= min && x <= max ? 1 : 0),
);
