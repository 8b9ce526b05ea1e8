import type { ReferenceOf } from "../autograd/op.ts";
import type { addScaledOp, assignOp, scaleInPlaceOp } from "./in-place.ts";

export const scaleInPlace: ReferenceOf<typeof scaleInPlaceOp> = {
  forward({ inputs: { x } }, { factor }) {
    for (let i = 0; i < x.length; i++) x[i]! *= factor;
  },
};

export const addScaled: ReferenceOf<typeof addScaledOp> = {
  forward({ inputs: { target, x } }, { factor }) {
    for (let i = 0; i < x.length; i++) target[i]! += factor * x[i]!;
  },
};

export const assign: ReferenceOf<typeof assignOp> = {
  forward({ inputs: { target, x } }) {
    target.set(x);
  },
};
