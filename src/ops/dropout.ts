import { dropoutKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import type { Op, Spec } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { OptionError } from "../errors.ts";
import { philox, randomState } from "../tensor/random.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { words } from "./broadcast.ts";

const run = use(dropoutKernels);

export interface DropoutOptions {
  /** Tells this dropout's random numbers from those of others. */
  stream: number;
  /** Outside training nothing is dropped; true by default. */
  training?: boolean;
  /** Drops the same units at every time step (Gal & Ghahramani 2016); false by default. */
  variational?: boolean;
  /** Which step of its sequence x begins with, where x is a chunk of it; 0 by default. */
  tOffset?: number;
  /** Which row of the batch x begins with, where x is a part of it; 0 by default. */
  rowOffset?: number;
}

/** All that the mask depends on, and p. */
export interface DropoutAttributes extends Required<Omit<DropoutOptions, "training">> {
  p: number;
  seed: number;
  step: number;
}

/** The axes of x: everything before the batch is time, everything before the units too if there is no batch. */
export function maskAxes(shape: Shape): { time: number; batch: number; width: number } {
  return { time: sizeOf(shape.slice(0, -2)), batch: shape.at(-2) ?? 1, width: shape.at(-1) ?? 1 };
}

/** Philox's key for a stream: drawn itself, for seed and stream together are more than it holds. */
export function maskKey({ seed, stream }: DropoutAttributes): [number, number] {
  const [first, second] = philox([stream, 0, 0, 0x64726f70], [seed, Math.floor(seed / 2 ** 32)]);
  return [first, second];
}

/** Philox goes ten rounds, and its key moves on in each. */
const rounds = Array.from({ length: 10 }, (_, i) => i);

/** A unit falls if its random word is below this. */
export const maskThreshold = (p: number) => Math.floor(p * 2 ** 32);

export const dropoutOp: Op<"x", "y", "mask", DropoutAttributes> = {
  name: "dropout",
  infer({ x }) {
    const { time, batch, width } = maskAxes(x);
    const mask: Spec = { shape: [time * batch, Math.ceil(width / 32)], dtype: "int32" };
    return { outputs: { y: x }, saved: { mask } };
  },
  forward({ shapes, inputs: { x }, outputs: { y }, saved: { mask } }, attributes) {
    const { p, step, tOffset: firstTime, rowOffset: firstRow, variational } = attributes;
    const { time, batch, width } = maskAxes(shapes.x);
    const [key0, key1] = maskKey(attributes);
    const keys = words(rounds.flatMap((i) => [key0 + i * 0x9e3779b9, key1 + i * 0xbb67ae85]));
    const timeScale = variational ? 0 : 1;
    const threshold = maskThreshold(p);
    const draw = { keys, step, firstTime, firstRow, timeScale, threshold };
    const args = { x, y, mask, width, batch, ...draw, scale: 1 / (1 - p) };
    run("dropoutForward", args, time * batch, share(time * batch, 20 * time * batch * width));
  },
  backward({ shapes, saved: { mask }, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { p }) {
    const { time, batch, width } = maskAxes(shapes.x);
    const args = { mask, dy, dx, width, scale: 1 / (1 - p) };
    run("dropoutBackward", args, time * batch, share(time * batch, 4 * time * batch * width));
  },
};

/**
 * x with each element set to 0 with probability p and the others divided by 1 − p (Srivastava et al. 2014, inverted).
 * Of x [..., batch, units], which units fall depends on the seed, the stream, the training step, the time, the batch row
 * and the unit: not on how x was cut into chunks, nor on what else drew random numbers.
 */
export function dropout(x: Tensor, p: number, options: DropoutOptions): Tensor {
  const { stream, training = true, variational = false, tOffset = 0, rowOffset = 0 } = options;
  expectDtype("dropout", "x", x, "float32");
  if (!(p >= 0 && p < 1)) throw new OptionError(`dropout: p must be from 0 to below 1, got ${p}`);
  if (p === 0 || !training) return x;
  const { seed, step } = randomState;
  return apply(dropoutOp, { x }, { p, seed, step, stream, variational, tOffset, rowOffset }).y;
}
