import type { Tensor } from "../tensor/tensor.ts";
import type { Tree } from "./tree.ts";

/** All that a training needs to go on as if it had never stopped: tensors, and plain numbers that JSON holds. */
export interface TrainingState {
  /** Under `model.`, `optimizer.`, `average.` and `carried.`: the last weights, the optimizer's, their moving average, the state carried over. */
  tensors: Map<string, Tensor>;
  progress: Progress;
  /** The seed, and where the random numbers are. */
  random: { seed: number; step: number };
  schedule: unknown;
  /** What is carried over from batch to batch, its tensors by name. */
  carried: Tree<string>;
}

/** Where a training is. */
export interface Progress {
  /** Whole epochs done, and batches done of the one that runs. */
  epoch: number;
  batch: number;
  /** Updates of the weights. */
  step: number;
  tokens: number;
  seconds: number;
  /** The part of `seconds` that updates took; the rest went into validation and files. */
  updateSeconds: number;
  /** The very first loss, and a running mean: what an exploding loss is measured by. */
  firstLoss: number;
  meanLoss: number;
  best: { loss: number; epoch: number; step: number } | undefined;
  /** Validations since the best. */
  stale: number;
  /** The step of the last validation, or of what would have been one were there data to validate on. */
  validated: number;
  /** Every validation so far. */
  validations: { epoch: number; step: number; loss: number }[];
}

export const PREFIX = {
  model: "model.",
  optimizer: "optimizer.",
  average: "average.",
  carried: "carried.",
} as const;

/** The tensors under a prefix, without it. */
export function under(prefix: string, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const [name, t] of tensors) if (name.startsWith(prefix)) found.set(name.slice(prefix.length), t);
  return found;
}
