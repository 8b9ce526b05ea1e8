import { convKernels, memoryKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkConv } from "../engine/self-check-conv.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(convKernels, memoryKernels);
selfChecks.conv = checkConv;

function sizesOf({ x }: Record<"x", Shape>) {
  const [N, C] = x as [number, number];
  return { sizes: { N, C, size: sizeOf(x.slice(2)) }, C, chunk: share(C, 10 * sizeOf(x)) };
}

/** Where only mean or variance led to the loss. */
function zeros(n: number): number {
  const out = workspace(n);
  run("fill", { out, value: 0 }, n);
  return out;
}

export const batchNormOp: Op<"x" | "weight" | "bias", "y" | "mean" | "variance", never, { eps: number }> = {
  name: "batchNorm",
  infer({ x, weight, bias }) {
    if (x.length < 2 || sizeOf(x) === 0) {
      throw new ShapeError(`batchNorm: x must be [N, C, ...], got ${formatShape(x)}`);
    }
    const C = x[1]!;
    expectShape("batchNorm", "weight", weight, [C]);
    expectShape("batchNorm", "bias", bias, [C]);
    return { outputs: { y: x, mean: [C], variance: [C] }, saved: {} };
  },
  forward({ shapes, inputs, outputs }, { eps }) {
    const { sizes, C, chunk } = sizesOf(shapes);
    run("batchNormForward", { ...inputs, ...outputs, ...sizes, eps }, C, chunk);
  },
  backward({ shapes, inputs: { x, weight }, outputs: { mean, variance }, gradOutputs, gradInputs }, { eps }) {
    const { sizes, C, chunk } = sizesOf(shapes);
    const { mean: dMean, variance: dVariance } = gradOutputs;
    const dy = gradOutputs.y || zeros(sizeOf(shapes.x));
    const { x: dx, weight: dWeight, bias: dBias } = gradInputs;
    const args = { x, weight, mean, variance, dy, dMean, dVariance, dx, dWeight, dBias, ...sizes, eps };
    run("batchNormBackward", args, C, chunk);
  },
};

/**
 * (x − mean)/√(variance + eps)·weight + bias for each channel of x [N, C, ...], mean and variance [C] being those of the
 * batch, which are given too (Ioffe & Szegedy 2015, algorithm 1). The variance is divided by n.
 */
export function batchNorm(
  x: Tensor,
  weight?: Tensor,
  bias?: Tensor,
  eps = 1e-5,
): { output: Tensor; mean: Tensor; variance: Tensor } {
  expectDtype("batchNorm", "x", x, "float32");
  if (weight) expectDtype("batchNorm", "weight", weight, "float32");
  if (bias) expectDtype("batchNorm", "bias", bias, "float32");
  if (!(eps >= 0)) throw new OptionError(`batchNorm: eps must be 0 or more, got ${eps}`);
  const { y, mean, variance } = apply(batchNormOp, { x, weight, bias }, { eps });
  return { output: y, mean, variance };
}
