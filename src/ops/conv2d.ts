import { convKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { PRODUCT_SCRATCH } from "../engine/control.ts";
import { share, use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkConv } from "../engine/self-check-conv.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sumOver } from "./broadcast.ts";
import { type Pair, pairOf, type Window, windowArgs, windowPlaces } from "./window.ts";

const run = use(convKernels);
selfChecks.conv = checkConv;

type Attributes = Omit<Window, "kernel">;
type Shapes = Record<"x" | "weight" | "bias", Shape>;

/** Positions that assembly/conv.ts multiplies at a time; as its PANELS. */
const POSITIONS = 256;

const windowOf = ({ weight }: Shapes, { stride, padding }: Attributes): Window => ({
  kernel: [weight[2]!, weight[3]!],
  stride,
  padding,
});

const placesOf = (shapes: Shapes, attributes: Attributes) =>
  windowPlaces("conv2d", shapes.x, windowOf(shapes, attributes));

/** Bytes of a packed right operand, k rows of so many columns. */
const packed = (k: number, columns: number) => 4 * (k + 1) * 16 * Math.ceil(columns / 16);

/** What all three kernels are told, and how many multiplications they come to. */
function parts(shapes: Shapes, attributes: Attributes) {
  const [N, C] = shapes.x as [number, number];
  const O = shapes.weight[0]!;
  const places = placesOf(shapes, attributes);
  const positions = places[0] * places[1];
  const taps = sizeOf(shapes.weight.slice(1));
  const sizes = { N, C, O, ...windowArgs(shapes.x, windowOf(shapes, attributes), places) };
  return { sizes, N, O, positions, taps, work: 2 * N * O * positions * taps };
}

/** Memory for each chunk of a kernel: that of a product, and `bytes` besides. */
function scratch(count: number, work: number, bytes: number) {
  const chunk = Math.max(share(count, work), 1);
  const scratchBytes = PRODUCT_SCRATCH + bytes;
  return { scratch: workspace((Math.ceil(count / chunk) * scratchBytes) / 4), scratchBytes, chunk };
}

const absent = { x: 0, weight: 0, bias: 0, y: 0, dx: 0, dWeight: 0 };

export const conv2dOp: Op<"x" | "weight" | "bias", "y", never, Attributes> = {
  name: "conv2d",
  cost: (shapes, attributes) => ({ flops: parts(shapes, attributes).work }),
  infer(shapes, attributes) {
    const { x, weight, bias } = shapes;
    if (weight.length !== 4 || sizeOf(weight) === 0) {
      throw new ShapeError(`conv2d: weight must be [O, C, Kh, Kw], got ${formatShape(weight)}`);
    }
    const places = placesOf(shapes, attributes);
    if (x[1] !== weight[1]) {
      throw new ShapeError(`conv2d: x must be [N, ${weight[1]}, H, W], got ${formatShape(x)}`);
    }
    expectShape("conv2d", "bias", bias, [weight[0]!]);
    return { outputs: { y: [x[0]!, weight[0]!, ...places] }, saved: {} };
  },
  forward({ shapes, inputs, outputs: { y } }, attributes) {
    const { sizes, N, taps, work } = parts(shapes, attributes);
    const memory = scratch(N, work, packed(taps, POSITIONS));
    run("convForward", { ...absent, ...sizes, ...inputs, y, ...memory }, N, memory.chunk);
  },
  backward({ shapes, inputs, gradOutputs: { y }, gradInputs }, attributes) {
    const { sizes, N, O, positions, taps, work } = parts(shapes, attributes);
    const { x, weight } = inputs;
    if (gradInputs.x) {
      const memory = scratch(N, work, packed(O, POSITIONS) + 4 * taps * POSITIONS);
      run("convInput", { ...absent, ...sizes, weight, y, dx: gradInputs.x, ...memory }, N, memory.chunk);
    }
    if (gradInputs.weight) {
      const units = Math.ceil(taps / 16);
      const memory = scratch(units, work, packed(positions, 16) + 64 * positions);
      const args = { ...absent, ...sizes, x, y, dWeight: gradInputs.weight, ...memory };
      run("convWeight", args, units, memory.chunk);
    }
    if (gradInputs.bias) {
      sumOver(y, [N, O, positions], [true, false, true], gradInputs.bias, { accumulate: true });
    }
  },
};

export interface Conv2dOptions {
  /** Of the kernel's steps, height and width. Default 1. */
  stride?: Pair;
  /** Zeros around the image. Default 0. */
  padding?: Pair;
}

/**
 * Convolution (cross-correlation, as PyTorch's): x [N, C, H, W], weight [O, C, Kh, Kw], bias [O] give [N, O, H′, W′] with
 * H′ = ⌊(H + 2·padding − Kh)/stride⌋ + 1 and y[n, o, i, j] = b[o] + Σ x[n, c, i·stride + k − padding, …]·W[o, c, k, l].
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  { stride = 1, padding = 0 }: Conv2dOptions = {},
): Tensor {
  expectDtype("conv2d", "x", x, "float32");
  expectDtype("conv2d", "weight", weight, "float32");
  if (bias) expectDtype("conv2d", "bias", bias, "float32");
  const attributes = {
    stride: pairOf("conv2d", "stride", stride, 1),
    padding: pairOf("conv2d", "padding", padding, 0),
  };
  return apply(conv2dOp, { x, weight, bias }, attributes).y;
}
