import { reduceKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(reduceKernels);

/** What training asks of parameters and gradients: their norm, and whether they are still finite. */

const BLOCK = 32768;

export const normOp: Op<"x", "norm", never, object> = {
  name: "norm",
  infer: () => ({ outputs: { norm: [] }, saved: {} }),
  forward({ shapes, inputs: { x }, outputs }) {
    const length = sizeOf(shapes.x);
    const count = Math.ceil(length / BLOCK);
    const partials = workspace(2 * count);
    run("squares", { x, partials, length, block: BLOCK }, count, share(count, 2 * length));
    run("norm", { partials, count, out: outputs.norm });
  },
};

export const firstNonFiniteOp: Op<"x", "index", never, object> = {
  name: "firstNonFinite",
  infer: () => ({ outputs: { index: { shape: [], dtype: "int32" } }, saved: {} }),
  forward({ shapes, inputs: { x }, outputs }) {
    run("firstNonFinite", { x, length: sizeOf(shapes.x), out: outputs.index });
  },
};

/** The Euclidean norm of all elements, summed in double precision and in an order that the size alone decides. */
export function norm(x: Tensor): number {
  expectDtype("norm", "x", x, "float32");
  return apply(normOp, { x }, {}).norm.item();
}

/** Σ x², from the norm: what gradient clipping adds up over the parameters. */
export function sumSquares(x: Tensor): number {
  return norm(x) ** 2;
}

/** The index of the first element that is NaN or infinite; −1 if there is none. */
export function firstNonFinite(x: Tensor): number {
  expectDtype("firstNonFinite", "x", x, "float32");
  return apply(firstNonFiniteOp, { x }, {}).index.item();
}
