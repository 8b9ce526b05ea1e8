import * as v from "valibot";
import { conv2d } from "../ops/conv2d.ts";
import { type Pair, pairOf } from "../ops/window.ts";
import { checkOptions, recordOf, trueOrFalse, wholeNumber } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { uniform, zeroParameter } from "./init.ts";
import { Module } from "./module.ts";

const size = wholeNumber(1, 1_000_000);
const schema = recordOf({ inChannels: size, outChannels: size, bias: v.optional(trueOrFalse(), true) });

export interface Conv2dLayerOptions {
  /** Of the kernel's steps, height and width. Default 1. */
  stride?: Pair;
  /** Zeros around the image. Default 0. */
  padding?: Pair;
  /** Default true. */
  bias?: boolean;
}

/**
 * Convolution of images [N, inChannels, H, W] → [N, outChannels, H′, W′], see `conv2d`. Initial weight and bias are uniform
 * in ±1/√(inChannels · kernel), as in PyTorch.
 */
export class Conv2d extends Module {
  /** [outChannels, inChannels, Kh, Kw] */
  readonly weight: Tensor;
  /** [outChannels] */
  readonly bias: Tensor | undefined;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: Conv2dLayerOptions = {}) {
    super();
    const { stride = 1, padding = 0, ...rest } = options;
    const { bias } = checkOptions("Conv2d", schema, { inChannels, outChannels, ...rest });
    const [height, width] = pairOf("Conv2d", "kernelSize", kernelSize, 1);
    this.stride = pairOf("Conv2d", "stride", stride, 1);
    this.padding = pairOf("Conv2d", "padding", padding, 0);
    const bound = 1 / Math.sqrt(inChannels * height * width);
    this.weight = uniform(zeroParameter([outChannels, inChannels, height, width]), -bound, bound);
    this.bias = bias ? uniform(zeroParameter([outChannels]), -bound, bound) : undefined;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, { stride: this.stride, padding: this.padding });
  }

  protected override describe(): string {
    const [O, C, ...kernel] = this.weight.shape;
    const unusual = [
      this.stride.some((n) => n !== 1) && `stride=${this.stride.join("×")}`,
      this.padding.some((n) => n !== 0) && `padding=${this.padding.join("×")}`,
      !this.bias && "bias=false",
    ];
    return [C, O, kernel.join("×"), ...unusual.filter(Boolean)].join(", ");
  }
}
