import type { ReferenceOf } from "../autograd/op.ts";
import type { conv2dOp } from "./conv2d.ts";
import { type Attributes, eachTap } from "./window.reference.ts";

/** Every product of the sum: y[n,o,i,j] += x[n,c,…]·W[o,c,k,l], as places in the arrays. */
function eachProduct(
  shapes: Record<"x" | "weight", readonly number[]>,
  attributes: Attributes,
  visit: (y: number, x: number, w: number, o: number) => void,
): void {
  const [O, C, Kh, Kw] = shapes.weight as [number, number, number, number];
  const [N, , H, W] = shapes.x as [number, number, number, number];
  const window = { ...attributes, kernel: [Kh, Kw] as const };
  eachTap([H, W], window, (place, pixel, tap, places) => {
    for (let n = 0; n < N; n++) {
      for (let o = 0; o < O; o++) {
        for (let c = 0; c < C; c++) {
          visit((n * O + o) * places + place, (n * C + c) * H * W + pixel, (o * C + c) * Kh * Kw + tap, o);
        }
      }
    }
  });
}

export const conv2d: ReferenceOf<typeof conv2dOp> = {
  forward({ shapes, inputs: { x, weight, bias }, outputs: { y } }, attributes) {
    const O = shapes.weight[0]!;
    const places = y.length / shapes.x[0]! / O;
    for (let i = 0; i < y.length; i++) y[i] = bias[Math.floor(i / places) % O] ?? 0;
    eachProduct(shapes, attributes, (at, from, w) => {
      y[at]! += x[from]! * weight[w]!;
    });
  },
  backward({ shapes, inputs: { x, weight }, gradOutputs: { y: dy }, gradInputs: d }, attributes) {
    const O = shapes.weight[0]!;
    const places = dy.length / shapes.x[0]! / O;
    if (d.bias.length) for (let i = 0; i < dy.length; i++) d.bias[Math.floor(i / places) % O]! += dy[i]!;
    eachProduct(shapes, attributes, (at, from, w) => {
      if (d.x.length) d.x[from]! += dy[at]! * weight[w]!;
      if (d.weight.length) d.weight[w]! += dy[at]! * x[from]!;
    });
  },
};
