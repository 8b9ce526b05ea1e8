import * as v from "valibot";
import { apply } from "../autograd/apply.ts";
import { adagradOp } from "../ops/optimizer.ts";
import { checkOptions, numberIn, recordOf } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { commonOptions, type Optimizable, Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

export interface AdagradOptions extends OptimizerOptions {
  /** The t-th step, from 1, has learningRate / (1 + (t − 1)·learningRateDecay). */
  learningRateDecay?: number;
  epsilon?: number;
}

const schema = recordOf({
  ...commonOptions,
  learningRateDecay: v.optional(numberIn({ from: 0 }), 0),
  epsilon: v.optional(numberIn({ from: 0 }), 1e-10),
});
const check = (where: string, options: unknown) => checkOptions(where, schema, options);

/** Divides by the root of the sum of all squared gradients so far (Duchi et al. 2011). */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(parameters: Optimizable<AdagradOptions>, options: AdagradOptions) {
    super(parameters, options, check);
  }

  protected override stateNames(): string[] {
    return ["sum"];
  }

  protected override update(slot: Slot<AdagradOptions>, gradient: Tensor, learningRate: number): void {
    const { parameter, options, state, step } = slot;
    const { epsilon, weightDecay, learningRateDecay } = options;
    const decayed = learningRate / (1 + (step - 1) * learningRateDecay);
    const inputs = { parameter, gradient, sum: state.sum };
    apply(adagradOp, inputs, { learningRate: decayed, epsilon, weightDecay });
  }
}
