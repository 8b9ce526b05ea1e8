import { memoryKernels, shapeKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(memoryKernels, shapeKernels);

/**
 * Overwriting what lasts longer than a step (parameters, their gradients, optimizer state). Not recorded: a tensor that
 * a tape still needs must not be changed.
 */
export const scaleInPlaceOp: Op<"x", never, never, { factor: number }> = {
  name: "scaleInPlace",
  infer: () => ({ outputs: {}, saved: {} }),
  forward({ shapes, inputs: { x } }, { factor }) {
    const n = sizeOf(shapes.x);
    run("scale", { x, out: x, factor }, n, share(n, n, 16));
  },
};

export const addScaledOp: Op<"target" | "x", never, never, { factor: number }> = {
  name: "addScaled",
  infer({ target, x }) {
    if (!sameShape(target, x)) {
      throw new ShapeError(`addScaled: x must be ${formatShape(target)}, got ${formatShape(x)}`);
    }
    return { outputs: {}, saved: {} };
  },
  forward({ shapes, inputs: { target, x } }, { factor }) {
    const n = sizeOf(shapes.x);
    run("axpy", { x, out: target, alpha: factor }, n, share(n, 2 * n, 16));
  },
};

export const assignOp: Op<"target" | "x", never, never, object> = {
  name: "assign",
  infer({ target, x }) {
    if (sizeOf(target) !== sizeOf(x)) {
      throw new ShapeError(`assign: x must be ${formatShape(target)}, got ${formatShape(x)}`);
    }
    return { outputs: {}, saved: {} };
  },
  forward({ shapes, inputs: { target, x } }) {
    const n = sizeOf(shapes.x);
    const args = { src: x, dst: target, width: n, srcStride: n, dstStride: n, accumulate: 0 };
    run("copyRows", args, n, share(n, n, 16));
  },
};

/** x ← factor·x */
export function scaleInPlace(x: Tensor, factor: number): void {
  expectDtype("scaleInPlace", "x", x, "float32");
  apply(scaleInPlaceOp, { x }, { factor });
}

/** target ← target + factor·x */
export function addScaled(target: Tensor, x: Tensor, factor = 1): void {
  expectDtype("addScaled", "target", target, "float32");
  expectDtype("addScaled", "x", x, "float32");
  apply(addScaledOp, { target, x }, { factor });
}

/** target ← x, which may differ in shape but not in size */
export function assign(target: Tensor, x: Tensor): void {
  expectDtype("assign", "target", target, "float32");
  expectDtype("assign", "x", x, "float32");
  apply(assignOp, { target, x }, {});
}
