import { convKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkConv } from "../engine/self-check-conv.ts";
import { OptionError } from "../errors.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Pair, pairOf, type Window, windowArgs, windowPlaces } from "./window.ts";

const run = use(convKernels);
selfChecks.conv = checkConv;

/** Planes of images [N, C, H, W], which are pooled each by itself. */
function planesOf(name: string, x: Shape, window: Window) {
  const places = windowPlaces(name, x, window);
  const planes = x[0]! * x[1]!;
  const work = 2 * planes * places[0] * places[1] * window.kernel[0] * window.kernel[1];
  return { args: windowArgs(x, window, places), planes, chunk: share(planes, work) };
}

const outputOf = (name: string, x: Shape, window: Window): Shape => {
  const places = windowPlaces(name, x, window);
  return [x[0]!, x[1]!, ...places];
};

export const maxPool2dOp: Op<"x", "y", "where", Window> = {
  name: "maxPool2d",
  infer({ x }, window) {
    const y = outputOf("maxPool2d", x, window);
    return { outputs: { y }, saved: { where: { shape: y, dtype: "int32" } } };
  },
  forward({ shapes, inputs: { x }, outputs: { y }, saved: { where } }, window) {
    const { args, planes, chunk } = planesOf("maxPool2d", shapes.x, window);
    run("maxPoolForward", { x, y, where, ...args }, planes, chunk);
  },
  backward({ shapes, saved: { where }, gradOutputs: { y: dy }, gradInputs: { x: dx } }, window) {
    const { args, planes, chunk } = planesOf("maxPool2d", shapes.x, window);
    const sizes = { size: args.H * args.W, outSize: args.outH * args.outW };
    run("maxPoolBackward", { dy, dx, where, ...sizes }, planes, chunk);
  },
};

export const avgPool2dOp: Op<"x", "y", never, Window> = {
  name: "avgPool2d",
  infer: ({ x }, window) => ({ outputs: { y: outputOf("avgPool2d", x, window) }, saved: {} }),
  forward({ shapes, inputs: { x }, outputs: { y } }, window) {
    const { args, planes, chunk } = planesOf("avgPool2d", shapes.x, window);
    run("averagePoolForward", { x, y, where: 0, ...args }, planes, chunk);
  },
  backward({ shapes, gradOutputs: { y }, gradInputs: { x } }, window) {
    const { args, planes, chunk } = planesOf("avgPool2d", shapes.x, window);
    run("averagePoolBackward", { x, y, where: 0, ...args }, planes, chunk);
  },
};

export interface PoolOptions {
  /** Default: the window's size. */
  stride?: Pair;
  /** At most half of the window. Default 0. */
  padding?: Pair;
}

function windowOf(
  where: string,
  kernelSize: Pair,
  { stride = kernelSize, padding = 0 }: PoolOptions,
): Window {
  const window = {
    kernel: pairOf(where, "kernelSize", kernelSize, 1),
    stride: pairOf(where, "stride", stride, 1),
    padding: pairOf(where, "padding", padding, 0),
  };
  if (window.padding.some((pad, axis) => 2 * pad > window.kernel[axis]!)) {
    throw new OptionError(
      `${where}: padding must be at most half of the window, ${window.kernel.join(" × ")}, got ${window.padding.join(" × ")}`,
    );
  }
  return window;
}

/** The largest under a window of images [N, C, H, W]; the gradient goes to the first that is it. */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: PoolOptions = {}): Tensor {
  expectDtype("maxPool2d", "x", x, "float32");
  return apply(maxPool2dOp, { x }, windowOf("maxPool2d", kernelSize, options)).y;
}

/** The mean under a window of images [N, C, H, W]; padding counts as zeros, as in PyTorch. */
export function avgPool2d(x: Tensor, kernelSize: Pair, options: PoolOptions = {}): Tensor {
  expectDtype("avgPool2d", "x", x, "float32");
  return apply(avgPool2dOp, { x }, windowOf("avgPool2d", kernelSize, options)).y;
}
