import { toInt8 } from "../ops/int8.ts";
import type { Storage } from "../tensor/storage.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Module } from "./module.ts";

/** What weights are kept as: as they were trained, or in eight bits, for inference alone. */
export type WeightPrecision = "float32" | "int8";

export const weightPrecisions = ["float32", "int8"] as const satisfies readonly WeightPrecision[];

/**
 * Replaces the weight matrices of a model's embeddings, linear and recurrent layers by int8 ones, see `toInt8`: a quarter of
 * the memory and, where that is what a step waits for, a multiple of the speed. Biases, norms, peepholes and projections
 * stay. From then on the model can neither be trained nor saved.
 */
export function useInt8Weights(model: Module): void {
  const made = new Map<Storage, Tensor>();
  for (const module of model.namedModules().values()) {
    const own = module as unknown as Record<string, Tensor>;
    for (const name of module.int8Weights()) {
      const weight = own[name]!;
      if (weight.dtype === "int8") continue;
      const int8 = made.get(weight.storage) ?? toInt8(weight);
      made.set(weight.storage, int8);
      own[name] = int8;
    }
  }
}
