import { apply } from "../autograd/apply.ts";
import { OptionError } from "../errors.ts";
import { sgdOp } from "../ops/optimizer.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Optimizable, Optimizer, type OptimizerOptions, type Slot } from "./optimizer.ts";

export interface SGDOptions extends OptimizerOptions {
  /** What of the last step is kept: v ← momentum·v + g, p ← p − learningRate·v. */
  momentum?: number;
  /** v ← momentum·v + (1 − dampening)·g, from the second step on. */
  dampening?: number;
  /** Looks ahead: p ← p − learningRate·(g + momentum·v), in PyTorch's form. */
  nesterov?: boolean;
}

/** Stochastic gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013). */
export class SGD extends Optimizer<SGDOptions> {
  constructor(parameters: Optimizable<SGDOptions>, options: SGDOptions) {
    super(parameters, { weightDecay: 0, momentum: 0, dampening: 0, nesterov: false, ...options });
  }

  protected override check(options: Required<SGDOptions>): void {
    super.check(options);
    this.checkRange("momentum", options.momentum, 0);
    this.checkRange("dampening", options.dampening, 0);
    if (options.nesterov && (options.momentum === 0 || options.dampening !== 0)) {
      throw new OptionError("SGD: nesterov needs a momentum, and dampening 0");
    }
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
