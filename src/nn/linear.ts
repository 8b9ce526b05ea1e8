import * as v from "valibot";
import { linear } from "../ops/linear.ts";
import { checkOptions, recordOf, trueOrFalse, wholeNumber } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { uniform, zeroParameter } from "./init.ts";
import { Module } from "./module.ts";

const size = wholeNumber(1, 1_000_000_000);
const schema = recordOf({ inFeatures: size, outFeatures: size, bias: v.optional(trueOrFalse(), true) });

/**
 * y = x·Wᵀ + b over the last axis: [..., inFeatures] → [..., outFeatures]. Initial weight and bias are uniform in
 * ±1/√inFeatures, as in PyTorch.
 */
export class Linear extends Module {
  /** [outFeatures, inFeatures] */
  readonly weight: Tensor;
  /** [outFeatures] */
  readonly bias: Tensor | undefined;

  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean } = {}) {
    super();
    const { bias } = checkOptions("Linear", schema, { inFeatures, outFeatures, ...options });
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = uniform(zeroParameter([outFeatures, inFeatures]), -bound, bound);
    this.bias = bias ? uniform(zeroParameter([outFeatures]), -bound, bound) : undefined;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  /** @internal */
  override int8Weights(): readonly string[] {
    return ["weight"];
  }

  protected override describe(): string {
    const [outFeatures, inFeatures] = this.weight.shape;
    return `${inFeatures}, ${outFeatures}${this.bias ? "" : ", bias=false"}`;
  }
}
