import { OptionError } from "../errors.ts";

/** What becomes of the losses of many targets: their mean, their sum, or each for itself. */
export type Reduction = "mean" | "sum" | "none";

export function checkReduction(op: string, reduction: Reduction): void {
  if (!["mean", "sum", "none"].includes(reduction)) {
    throw new OptionError(`${op}: reduction must be mean, sum or none, got ${reduction}`);
  }
}
