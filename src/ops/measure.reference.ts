import type { ReferenceOf } from "../autograd/op.ts";
import type { firstNonFiniteOp, normOp } from "./measure.ts";

export const norm: ReferenceOf<typeof normOp> = {
  forward({ inputs: { x }, outputs }) {
    let sum = 0;
    for (const value of x) sum += value ** 2;
    outputs.norm[0] = Math.sqrt(sum);
  },
};

export const firstNonFinite: ReferenceOf<typeof firstNonFiniteOp> = {
  forward({ inputs: { x }, outputs }) {
    outputs.index[0] = x.findIndex((value) => !Number.isFinite(value));
  },
};
