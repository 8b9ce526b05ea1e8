import type { ReferenceOf } from "../autograd/op.ts";
import type { linearOp } from "./linear.ts";

/** y[r,o] = b[o] + Σᵢ x[r,i] W[o,i] */
export const linear: ReferenceOf<typeof linearOp> = {
  forward({ shapes, inputs: { x, weight, bias }, outputs: { y } }) {
    const [O, I] = shapes.weight as [number, number];
    for (let r = 0; r < y.length / O; r++) {
      for (let o = 0; o < O; o++) {
        let sum = bias[o] ?? 0;
        for (let i = 0; i < I; i++) sum += x[r * I + i]! * weight[o * I + i]!;
        y[r * O + o] = sum;
      }
    }
  },
  backward({ shapes, inputs: { x, weight }, gradOutputs: { y: dy }, gradInputs: d }) {
    const [O, I] = shapes.weight as [number, number];
    for (let r = 0; r < dy.length / O; r++) {
      for (let o = 0; o < O; o++) {
        const g = dy[r * O + o]!;
        if (d.bias.length) d.bias[o]! += g;
        for (let i = 0; i < I; i++) {
          if (d.x.length) d.x[r * I + i]! += g * weight[o * I + i]!;
          if (d.weight.length) d.weight[o * I + i]! += g * x[r * I + i]!;
        }
      }
    }
  },
};
