import * as v from "valibot";
import { dropout } from "../ops/dropout.ts";
import { checkOptions, numberIn, recordOf, trueOrFalse } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

const schema = recordOf({
  p: numberIn({ from: 0, below: 1 }),
  variational: v.optional(trueOrFalse(), false),
});

/**
 * In training, sets each element to zero with probability p and divides the others by 1 − p (Srivastava et al. 2014).
 * What is dropped is a function of the seed, the training step, this module's place in the model and the element's own; if
 * `variational` of a sequence [T, N, ...] the same at every time step (Gal & Ghahramani 2016).
 */
export class Dropout extends Module {
  readonly p: number;
  readonly variational: boolean;

  constructor(p = 0.5, options: { variational?: boolean } = {}) {
    super();
    const checked = checkOptions("Dropout", schema, { p, ...options });
    this.p = checked.p;
    this.variational = checked.variational;
  }

  forward(x: Tensor): Tensor {
    const { training, variational } = this;
    return dropout(x, this.p, { stream: this.randomStream(), training, variational });
  }

  protected override describe(): string {
    return this.variational ? `${this.p}, variational` : String(this.p);
  }
}
