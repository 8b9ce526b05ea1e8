import { searchKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(searchKernels);

export const topLogProbsOp: Op<"x", "logProbs" | "tokens", never, { count: number }> = {
  name: "topLogProbs",
  infer({ x }, { count }) {
    const width = x.at(-1);
    if (!width) throw new ShapeError(`topLogProbs: logits must be [..., V], got [${x}]`);
    if (!(Number.isInteger(count) && count >= 1 && count <= width)) {
      throw new OptionError(`topLogProbs: count must be a whole number from 1 to ${width}, got ${count}`);
    }
    const shape = [...x.slice(0, -1), count];
    return { outputs: { logProbs: shape, tokens: { shape, dtype: "int32" } }, saved: {} };
  },
  forward({ shapes, inputs: { x }, outputs: { logProbs, tokens } }, { count }) {
    const width = shapes.x.at(-1)!;
    const rows = sizeOf(shapes.x.slice(0, -1));
    const args = { x, logProbs, tokens, scratch: workspace(8 * rows), width, count };
    run("topLogProbs", args, rows, share(rows, 30 * rows * width));
  },
};

/**
 * The `count` likeliest of each row of logits [..., V] and ln P of them, both [..., count]: the likeliest first, of equal ones
 * the first. What a beam search asks of a step, without the rest of it. Has no gradient.
 */
export function topLogProbs(logits: Tensor, count: number): { logProbs: Tensor; tokens: Tensor } {
  expectDtype("topLogProbs", "logits", logits, "float32");
  return apply(topLogProbsOp, { x: logits }, { count });
}
