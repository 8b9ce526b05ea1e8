import { shapeKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { DataError, ShapeError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { formatShape, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { findOutside } from "./gather.ts";

const run = use(shapeKernels);

export function lengthError(length: number, time: number): DataError {
  return new DataError(`reverseSequences: lengths must be from 0 to ${time}, got ${length}`);
}

function reverse(x: number, shape: Shape, lengths: number, out: number, accumulate: boolean): void {
  const [time, batch, ...rest] = shape as [number, number, ...number[]];
  const width = sizeOf(rest);
  const args = { x, lengths, out, time, batch, width, accumulate: Number(accumulate) };
  run("reverseRows", args, time * batch, share(time * batch, time * batch * width));
}

export const reverseSequencesOp: Op<"x" | "lengths", "y", never, { dtype: DType }> = {
  name: "reverseSequences",
  infer({ x, lengths }, { dtype }) {
    if (x.length < 2) {
      throw new ShapeError(`reverseSequences: x must be [time, batch, ...], got ${formatShape(x)}`);
    }
    expectShape("reverseSequences", "lengths", lengths, [x[1]!]);
    return { outputs: { y: { shape: x, dtype } }, saved: {} };
  },
  forward({ shapes, inputs: { x, lengths }, outputs: { y } }) {
    const [time, batch] = shapes.x as [number, number];
    const bad = lengths ? findOutside(lengths, batch, time + 1) : undefined;
    if (bad !== undefined) throw lengthError(bad, time);
    reverse(x, shapes.x, lengths, y, false);
  },
  backward({ shapes, inputs: { lengths }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
    reverse(dy, shapes.x, lengths, dx, true);
  },
};

/**
 * Each sequence of x [T, N, ...] from its last step to its first; with int32 lengths [N] within its length, and zero
 * from there on. Reversing twice gives x back, but for the padding.
 */
export function reverseSequences(x: Tensor, lengths?: Tensor): Tensor {
  if (lengths) expectDtype("reverseSequences", "lengths", lengths, "int32");
  return apply(reverseSequencesOp, { x, lengths }, { dtype: x.dtype }).y;
}
