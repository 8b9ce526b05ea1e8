import { FormatError } from "../errors.ts";
import { modelFiles } from "../io/model-folder.ts";
import { withoutDrawing } from "../nn/init.ts";
import type { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * The network that a configuration describes, with the weights that were read from `file`. It is not made before their
 * number is right: a configuration nobody vouches for may ask for anything.
 */
export function loadWeights<N extends Module>(
  weights: ReadonlyMap<string, Tensor>,
  file: string,
  { parameters, make }: { parameters: number; make: () => N },
): N {
  let numbers = 0;
  for (const { size } of weights.values()) numbers += size;
  if (numbers !== parameters) {
    throw new FormatError(
      `${file}: has ${numbers} numbers, but ${modelFiles.config} describes a network of ${parameters}`,
    );
  }
  const network = withoutDrawing(make);
  try {
    network.loadStateDict(weights);
  } catch (cause) {
    throw new FormatError(`${file}: ${(cause as Error).message}`, { cause });
  }
  return network;
}
