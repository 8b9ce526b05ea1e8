import * as v from "valibot";
import { apply } from "../autograd/apply.ts";
import { rmspropOp } from "../ops/optimizer.ts";
import { checkOptions, numberIn, recordOf, trueOrFalse } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { commonOptions, type Optimizable, Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

export interface RMSPropOptions extends OptimizerOptions {
  /** How slowly the mean of squared gradients follows: s ← α·s + (1 − α)·g². */
  alpha?: number;
  epsilon?: number;
  momentum?: number;
  /** Divides by the deviation instead: √(s − m²), m the mean gradient. */
  centered?: boolean;
}

const schema = recordOf({
  ...commonOptions,
  alpha: v.optional(numberIn({ from: 0, below: 1 }), 0.99),
  epsilon: v.optional(numberIn({ from: 0 }), 1e-8),
  momentum: v.optional(numberIn({ from: 0 }), 0),
  centered: v.optional(trueOrFalse(), false),
});
const check = (where: string, options: unknown) => checkOptions(where, schema, options);

/**
 * Divides by the root of a running mean of squared gradients (Tieleman & Hinton 2012); ε stands outside the root, as in
 * PyTorch. Graves 2013, eq. 38–41, is centered with alpha 0.95, momentum 0.9 and ε inside.
 */
export class RMSProp extends Optimizer<RMSPropOptions> {
  constructor(parameters: Optimizable<RMSPropOptions>, options: RMSPropOptions) {
    super(parameters, options, check);
  }

  protected override stateNames({ centered, momentum }: Required<RMSPropOptions>): string[] {
    return ["square_avg", ...(centered ? ["grad_avg"] : []), ...(momentum > 0 ? ["momentum_buffer"] : [])];
  }

  protected override update(slot: Slot<RMSPropOptions>, gradient: Tensor, learningRate: number): void {
    const { parameter, options, state } = slot;
    const { alpha, epsilon, momentum, weightDecay } = options;
    const inputs = {
      parameter,
      gradient,
      square: state.square_avg,
      mean: state.grad_avg,
      velocity: state.momentum_buffer,
    };
    apply(rmspropOp, inputs, { learningRate, alpha, epsilon, momentum, weightDecay });
  }
}
