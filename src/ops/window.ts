import { OptionError, ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../tensor/shape.ts";

/** A number for both axes of an image, or one for each: [height, width]. */
export type Pair = number | readonly [number, number];

/** A window that moves over images: its size, its stride, and zeros around the image. */
export interface Window {
  kernel: readonly [number, number];
  stride: readonly [number, number];
  padding: readonly [number, number];
}

export function pairOf(where: string, what: string, value: Pair, least: number): readonly [number, number] {
  const pair = typeof value === "number" ? ([value, value] as const) : value;
  if (pair.length !== 2 || pair.some((n) => !Number.isInteger(n) || n < least)) {
    throw new OptionError(
      `${where}: ${what} must be a whole number from ${least} up, or two, got ${JSON.stringify(value)}`,
    );
  }
  return pair;
}

/** Places of the window over images x [N, C, H, W]. */
export function windowPlaces(where: string, x: Shape, { kernel, stride, padding }: Window): [number, number] {
  if (x.length !== 4 || x[2] === 0 || x[3] === 0) {
    throw new ShapeError(`${where}: x must be [N, C, H, W], got ${formatShape(x)}`);
  }
  const along = (axis: 0 | 1) =>
    Math.floor((x[2 + axis]! + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
  const places: [number, number] = [along(0), along(1)];
  if (Math.min(...places) < 1) {
    throw new ShapeError(
      `${where}: images of ${x[2]} × ${x[3]} with padding ${padding.join(" × ")} have no room for a window of ${kernel.join(" × ")}`,
    );
  }
  return places;
}

/** The arguments of kernels that have to do with a window. */
export function windowArgs(x: Shape, window: Window, [outH, outW]: readonly [number, number]) {
  const [kernelH, kernelW] = window.kernel;
  const [strideH, strideW] = window.stride;
  const [padH, padW] = window.padding;
  return { H: x[2]!, W: x[3]!, outH, outW, kernelH, kernelW, strideH, strideW, padH, padW };
}
