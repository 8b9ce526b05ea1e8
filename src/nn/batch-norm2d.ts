import * as v from "valibot";
import { noGrad } from "../autograd/step.ts";
import { batchNorm } from "../ops/batch-norm.ts";
import { add, div, mul, sub } from "../ops/binary.ts";
import { addScaled, scaleInPlace } from "../ops/in-place.ts";
import { sqrt } from "../ops/pointwise.ts";
import { checkOptions, numberIn, recordOf, wholeNumber } from "../options.ts";
import { persistentZeros, type Tensor } from "../tensor/tensor.ts";
import { constant, zeroParameter } from "./init.ts";
import { Module } from "./module.ts";

const schema = recordOf({
  features: wholeNumber(1, 1_000_000),
  epsilon: v.optional(numberIn({ from: 0 }), 1e-5),
  momentum: v.optional(numberIn({ above: 0, to: 1 }), 0.1),
});

/**
 * Batch normalisation of images [N, features, H, W], channel by channel (Ioffe & Szegedy 2015). In training by the mean and
 * variance of the batch, of which it keeps a moving average; in use by that average. The average has a place among the
 * parameters, so that it is saved and loaded with them, and no gradient, so that no optimizer touches it.
 */
export class BatchNorm2d extends Module {
  /** [features] */
  readonly weight: Tensor;
  /** [features] */
  readonly bias: Tensor;
  /** [features] */
  readonly running_mean: Tensor;
  /** [features]; divided by n − 1, as in PyTorch. */
  readonly running_var: Tensor;
  readonly epsilon: number;
  readonly momentum: number;

  constructor(features: number, options: { epsilon?: number; momentum?: number } = {}) {
    super();
    const { epsilon, momentum } = checkOptions("BatchNorm2d", schema, { features, ...options });
    this.epsilon = epsilon;
    this.momentum = momentum;
    this.weight = constant(zeroParameter([features]), 1);
    this.bias = zeroParameter([features]);
    this.running_mean = persistentZeros([features]);
    this.running_var = constant(persistentZeros([features]), 1);
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, epsilon } = this;
    if (!this.training) {
      const scale = div(weight, sqrt(add(this.running_var, epsilon)));
      const shift = sub(bias, mul(this.running_mean, scale));
      const C = weight.size;
      return add(mul(x, scale.reshape(C, 1, 1)), shift.reshape(C, 1, 1));
    }
    const { output, mean, variance } = batchNorm(x, weight, bias, epsilon);
    const count = x.size / weight.size;
    noGrad(() => {
      for (const [running, now, factor] of [
        [this.running_mean, mean, this.momentum],
        [this.running_var, variance, (this.momentum * count) / Math.max(count - 1, 1)],
      ] as const) {
        scaleInPlace(running, 1 - this.momentum);
        addScaled(running, now, factor);
      }
    });
    return output;
  }

  protected override describe(): string {
    return String(this.weight.size);
  }
}
