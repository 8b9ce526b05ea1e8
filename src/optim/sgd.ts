import * as v from "valibot";
import { apply } from "../autograd/apply.ts";
import { OptionError } from "../errors.ts";
import { sgdOp } from "../ops/optimizer.ts";
import { checkOptions, numberIn, recordOf, trueOrFalse } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { commonOptions, type Optimizable, Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

export interface SGDOptions extends OptimizerOptions {
  /** What of the last step is kept: v ← momentum·v + g, p ← p − learningRate·v. */
  momentum?: number;
  /** v ← momentum·v + (1 − dampening)·g, from the second step on. */
  dampening?: number;
  /** Looks ahead: p ← p − learningRate·(g + momentum·v), in PyTorch's form. */
  nesterov?: boolean;
}

const schema = recordOf({
  ...commonOptions,
  momentum: v.optional(numberIn({ from: 0 }), 0),
  dampening: v.optional(numberIn({ from: 0 }), 0),
  nesterov: v.optional(trueOrFalse(), false),
});

function check(where: string, options: unknown): Required<SGDOptions> {
  const checked = checkOptions(where, schema, options);
  if (checked.nesterov && (checked.momentum === 0 || checked.dampening !== 0)) {
    throw new OptionError(`${where}: nesterov needs a momentum, and dampening 0`);
  }
  return checked;
}

/** Stochastic gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013). */
export class SGD extends Optimizer<SGDOptions> {
  constructor(parameters: Optimizable<SGDOptions>, options: SGDOptions) {
    super(parameters, options, check);
  }

  protected override stateNames({ momentum }: Required<SGDOptions>): string[] {
    return momentum > 0 ? ["momentum_buffer"] : [];
  }

  protected override update(slot: Slot<SGDOptions>, gradient: Tensor, learningRate: number): void {
    const { parameter, options, state, step } = slot;
    const { momentum, dampening, nesterov, weightDecay } = options;
    const gain = step === 1 ? 1 : 1 - dampening;
    const inputs = { parameter, gradient, velocity: state.momentum_buffer };
    apply(sgdOp, inputs, { learningRate, momentum, gain, nesterov, weightDecay });
  }
}
