import type { ImageBatch } from "../../data/images/image-table.ts";
import { BatchNorm2d } from "../../nn/batch-norm2d.ts";
import { Conv2d } from "../../nn/conv2d.ts";
import { constant } from "../../nn/init.ts";
import { Module } from "../../nn/module.ts";
import { mul, sub } from "../../ops/binary.ts";
import { relu } from "../../ops/pointwise.ts";
import { maxPool2d } from "../../ops/pool2d.ts";
import { mean } from "../../ops/reduce.ts";
import { persistentZeros, type Tensor } from "../../tensor/tensor.ts";
import { gridOf, type ImageConfig } from "./config.ts";

/** An image as the decoder knows it: a vector [N, D] and, if there is one, a grid of them [N, C, H, W]. */
export interface Seen {
  vector: Tensor;
  grid: Tensor | undefined;
}

/** How wide the vector of an image is. */
export function vectorSize(image: ImageConfig): number {
  if (image.kind === "features") return image.pooled ?? image.grid![0];
  const [channels, rows, columns] = gridOf(image)!;
  return channels * rows * columns;
}

export type ImageEncoder = FeatureEncoder | PixelEncoder;

export const makeEncoder = (image: ImageConfig): ImageEncoder =>
  image.kind === "features" ? new FeatureEncoder(image) : new PixelEncoder(image);

/** Numbers less their mean, by their deviation, both of the images that are learnt from and nothing that is learnt. */
class Standard extends Module {
  readonly mean: Tensor;
  readonly scale: Tensor;

  constructor(size: number) {
    super();
    this.mean = persistentZeros([size]);
    this.scale = constant(persistentZeros([size]), 1);
  }

  /** `axes`: how many there are after that of the numbers. */
  forward(x: Tensor, axes: number): Tensor {
    const shape = [this.mean.size, ...new Array<number>(axes).fill(1)];
    return mul(sub(x, this.mean.reshape(...shape)), this.scale.reshape(...shape));
  }
}

/** Features as they are given, standardised. Without a vector of the whole image it is the mean of the grid. */
export class FeatureEncoder extends Module {
  readonly pooled: Standard | undefined;
  readonly grid: Standard | undefined;

  constructor({ pooled, grid }: Extract<ImageConfig, { kind: "features" }>) {
    super();
    this.pooled = pooled === undefined ? undefined : new Standard(pooled);
    this.grid = grid && new Standard(grid[0]);
  }

  forward(images: ImageBatch): Seen {
    const grid = this.grid?.forward(images.grid!, 2);
    return { vector: this.pooled?.forward(images.pooled!, 0) ?? mean(grid!, [2, 3]), grid };
  }
}

/** Convolutions of 3 × 3, each followed by batch normalisation, ReLU and the largest of 2 × 2. The vector is all of the grid. */
export class PixelEncoder extends Module {
  readonly convolutions: Conv2d[];
  readonly norms: BatchNorm2d[];

  constructor({ channels }: Extract<ImageConfig, { kind: "pixels" }>) {
    super();
    const options = { padding: 1, bias: false };
    this.convolutions = channels.map((width, i) => new Conv2d(channels[i - 1] ?? 3, width, 3, options));
    this.norms = channels.map((width) => new BatchNorm2d(width));
  }

  forward(images: ImageBatch): Seen {
    let x = images.pixels!;
    for (const [i, convolution] of this.convolutions.entries()) {
      x = maxPool2d(relu(this.norms[i]!.forward(convolution.forward(x))), 2);
    }
    return { vector: x.reshape(x.shape[0]!, -1), grid: x };
  }
}

/** How many numbers it has, the means and deviations that are not learnt among them. */
export function countOfEncoder(image: ImageConfig): number {
  if (image.kind === "features") return 2 * ((image.pooled ?? 0) + (image.grid?.[0] ?? 0));
  return image.channels.reduce((sum, width, i) => sum + width * (9 * (image.channels[i - 1] ?? 3) + 4), 0);
}
