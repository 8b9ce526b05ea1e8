import type { ReferenceOf } from "../autograd/op.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { transposeOp } from "./transpose.ts";

/** For each element of the result, in order: where it stands in x. */
function* places(shape: Shape, permutation: readonly number[]): Generator<number> {
  const strides = stridesOf(shape);
  const own = stridesOf(permutation.map((axis) => shape[axis]!));
  for (let i = 0; i < sizeOf(shape); i++) {
    let at = 0;
    permutation.forEach((axis, k) => {
      at += (Math.floor(i / own[k]!) % shape[axis]!) * strides[axis]!;
    });
    yield at;
  }
}

export const transpose: ReferenceOf<typeof transposeOp> = {
  forward({ shapes, inputs: { x }, outputs: { y } }, { permutation }) {
    let i = 0;
    for (const at of places(shapes.x, permutation)) y[i++] = x[at]!;
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { permutation }) {
    let i = 0;
    for (const at of places(shapes.x, permutation)) dx[at]! += dy[i++]!;
  },
};
