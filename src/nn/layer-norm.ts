import * as v from "valibot";
import { layerNorm } from "../ops/layer-norm.ts";
import { checkOptions, numberIn, recordOf, trueOrFalse, wholeNumber } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { constant, zeroParameter } from "./init.ts";
import { Module } from "./module.ts";

const schema = recordOf({
  size: wholeNumber(1, 1_000_000_000),
  epsilon: v.optional(numberIn({ from: 0 }), 1e-5),
  bias: v.optional(trueOrFalse(), true),
});

/**
 * (x − mean) / √(variance + ε) · weight + bias over the last axis (Ba et al. 2016). Weights are 1 and biases 0 at first.
 */
export class LayerNorm extends Module {
  /** [size] */
  readonly weight: Tensor;
  /** [size] */
  readonly bias: Tensor | undefined;
  readonly epsilon: number;

  constructor(size: number, options: { epsilon?: number; bias?: boolean } = {}) {
    super();
    const { epsilon, bias } = checkOptions("LayerNorm", schema, { size, ...options });
    this.epsilon = epsilon;
    this.weight = constant(zeroParameter([size]), 1);
    this.bias = bias ? zeroParameter([size]) : undefined;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.epsilon);
  }

  protected override describe(): string {
    return `${this.weight.size}${this.bias ? "" : ", bias=false"}`;
  }
}
