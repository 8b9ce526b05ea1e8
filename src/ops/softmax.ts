import { softmaxKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(softmaxKernels);

/** The rows of x: all axes but the last as one. */
function rowsOf(shape: Shape): { rows: number; width: number } {
  const width = shape.at(-1)!;
  return { rows: sizeOf(shape.slice(0, -1)), width };
}

type Softmax = Op<"x", "y", never, object>;

function define(name: "softmax" | "logSoftmax"): Softmax {
  return {
    name,
    infer({ x }) {
      if (x.length === 0) throw new ShapeError(`${name}: x must have at least one axis, got []`);
      return { outputs: { y: x }, saved: {} };
    },
    forward({ shapes, inputs: { x }, outputs: { y } }) {
      const { rows, width } = rowsOf(shapes.x);
      const scratch = workspace(8 * rows);
      if (width) run(`${name}Forward`, { x, y, scratch, width }, rows, share(rows, 30 * rows * width));
    },
    backward({ shapes, outputs: { y }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
      const { rows, width } = rowsOf(shapes.x);
      if (width) run(`${name}Backward`, { y, dy, dx, width }, rows, share(rows, 10 * rows * width));
    },
  };
}

export const softmaxOp = define("softmax");
export const logSoftmaxOp = define("logSoftmax");

/** eˣ / Σ eˣ over the last axis: rows of probabilities. */
export function softmax(x: Tensor): Tensor {
  expectDtype("softmax", "x", x, "float32");
  return apply(softmaxOp, { x }, {}).y;
}

/** x − ln Σ eˣ over the last axis: the logarithm of softmax, without its underflow. */
export function logSoftmax(x: Tensor): Tensor {
  expectDtype("logSoftmax", "x", x, "float32");
  return apply(logSoftmaxOp, { x }, {}).y;
}
