import { OptionError } from "../errors.ts";

/** Stands for no target, by default: it counts for nothing in a loss. */
export const NO_TARGET = -100;

/** What becomes of the losses of many targets: their mean, their sum, or each for itself. */
export type Reduction = "mean" | "sum" | "none";

export function checkReduction(op: string, reduction: Reduction): void {
  if (!["mean", "sum", "none"].includes(reduction)) {
    throw new OptionError(`${op}: reduction must be mean, sum or none, got ${reduction}`);
  }
}
