import { memoryKernels, normKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sumOver } from "./broadcast.ts";

const run = use(memoryKernels, normKernels);

/** A row of one number, until the running op returns. */
function filled(width: number, value: number): number {
  const out = workspace(width);
  run("fill", { out, value }, width);
  return out;
}

export const layerNormOp: Op<"x" | "weight" | "bias", "y", "statistics", { eps: number }> = {
  name: "layerNorm",
  infer({ x, weight, bias }) {
    const width = x.at(-1);
    if (!width) throw new ShapeError(`layerNorm: x must be [..., features], got ${formatShape(x)}`);
    expectShape("layerNorm", "weight", weight, [width]);
    expectShape("layerNorm", "bias", bias, [width]);
    return { outputs: { y: x }, saved: { statistics: [...x.slice(0, -1), 2] } };
  },
  forward({ shapes, inputs, outputs: { y }, saved: { statistics } }, { eps }) {
    const width = shapes.x.at(-1)!;
    const rows = sizeOf(shapes.x) / width;
    const weight = inputs.weight || filled(width, 1);
    const bias = inputs.bias || filled(width, 0);
    const args = { x: inputs.x, weight, bias, y, statistics, scratch: workspace(8 * rows), width, eps };
    run("layerNormForward", args, rows, share(rows, 10 * rows * width));
  },
  backward({ shapes, inputs: { x, weight }, saved: { statistics }, gradOutputs: { y: dy }, gradInputs }) {
    const width = shapes.x.at(-1)!;
    const rows = sizeOf(shapes.x) / width;
    const { x: dx, weight: dWeight, bias: dBias } = gradInputs;
    if (dx) {
      const scratch = workspace(16 * rows);
      const args = { x, weight: weight || filled(width, 1), statistics, scratch, dy, dx, width };
      run("layerNormBackward", args, rows, share(rows, 20 * rows * width));
    }
    if (dWeight) {
      const units = Math.ceil(width / 16);
      const args = { x, statistics, dy, dWeight, rows, width };
      run("layerNormWeight", args, units, share(units, 5 * rows * width));
    }
    if (dBias) sumOver(dy, [rows, width], [true, false], dBias, { accumulate: true });
  },
};

/**
 * (x − mean)/√(variance + eps) over the last axis, times weight, plus bias, each [features] or left out
 * (Ba, Kiros & Hinton 2016). The variance is that of the row itself (divided by n).
 */
export function layerNorm(x: Tensor, weight?: Tensor, bias?: Tensor, eps = 1e-5): Tensor {
  expectDtype("layerNorm", "x", x, "float32");
  if (weight) expectDtype("layerNorm", "weight", weight, "float32");
  if (bias) expectDtype("layerNorm", "bias", bias, "float32");
  if (!(eps >= 0)) throw new OptionError(`layerNorm: eps must be 0 or more, got ${eps}`);
  return apply(layerNormOp, { x, weight, bias }, { eps }).y;
}
