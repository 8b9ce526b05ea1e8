import type { ReferenceOf } from "../autograd/op.ts";
import type { tanhOp } from "./pointwise.ts";

export const tanh: ReferenceOf<typeof tanhOp> = {
  forward({ inputs: { x }, outputs: { y } }) {
    for (let i = 0; i < x.length; i++) y[i] = Math.tanh(x[i]!);
  },
  backward({ outputs: { y }, gradOutputs, gradInputs }) {
    for (let i = 0; i < y.length; i++) gradInputs.x[i]! += gradOutputs.y[i]! * (1 - y[i]! ** 2);
  },
};
