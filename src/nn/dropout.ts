import { dropout } from "../ops/dropout.ts";
import { checkOptions, numberIn, recordOf } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

const schema = recordOf({ p: numberIn({ from: 0, below: 1 }) });

/**
 * In training, sets each element to zero with probability p and divides the others by 1 − p (Srivastava et al. 2014).
 * What is dropped is a function of the seed, the training step, this module's place in the model and the element's own.
 */
export class Dropout extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    this.p = checkOptions("Dropout", schema, { p }).p;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p, { stream: this.randomStream(), training: this.training });
  }

  protected override describe(): string {
    return String(this.p);
  }
}
