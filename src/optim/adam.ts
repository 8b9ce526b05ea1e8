import * as v from "valibot";
import { apply } from "../autograd/apply.ts";
import { adamOp } from "../ops/optimizer.ts";
import { checkOptions, numberIn, recordOf } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { commonOptions, type Optimizable, Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

export interface AdamOptions extends OptimizerOptions {
  /** How slowly the means of the gradient and of its square follow. */
  betas?: readonly [number, number];
  epsilon?: number;
}

const beta = numberIn({ from: 0, below: 1 });
const schema = recordOf({
  ...commonOptions,
  betas: v.optional(v.tuple([beta, beta], "must be two numbers"), [0.9, 0.999]),
  epsilon: v.optional(numberIn({ from: 0 }), 1e-8),
});
const check = (where: string, options: unknown) => checkOptions(where, schema, options);

/** Divides the mean gradient by the root of the mean squared gradient, both unbiased (Kingma & Ba 2015). */
export class Adam extends Optimizer<AdamOptions> {
  constructor(parameters: Optimizable<AdamOptions>, options: AdamOptions) {
    super(parameters, options, check);
  }

  protected override stateNames(): string[] {
    return ["exp_avg", "exp_avg_sq"];
  }

  /** Whether weightDecay shrinks the parameter itself. */
  protected get decoupled(): boolean {
    return false;
  }

  protected override update(slot: Slot<AdamOptions>, gradient: Tensor, learningRate: number): void {
    const { parameter, options, state, step } = slot;
    const { epsilon, weightDecay } = options;
    const [beta1, beta2] = options.betas;
    const inputs = { parameter, gradient, mean: state.exp_avg, square: state.exp_avg_sq };
    const { decoupled } = this;
    apply(adamOp, inputs, { learningRate, beta1, beta2, epsilon, weightDecay, decoupled, step });
  }
}

/** Adam with p ← p − learningRate·weightDecay·p in place of L2; weightDecay is 0.01 (Loshchilov & Hutter 2019). */
export class AdamW extends Adam {
  constructor(parameters: Optimizable<AdamOptions>, options: AdamOptions) {
    super(parameters, { weightDecay: 0.01, ...options });
  }

  protected override get decoupled(): boolean {
    return true;
  }
}
