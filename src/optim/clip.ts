import { apply } from "../autograd/apply.ts";
import { step } from "../autograd/step.ts";
import { OptionError } from "../errors.ts";
import { scaleInPlace } from "../ops/in-place.ts";
import { sumSquares } from "../ops/measure.ts";
import { clampGradientOp } from "../ops/optimizer.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Scales all gradients down together if their norm √Σg² is above `max`, and returns the norm before (Pascanu et al.
 * 2013). The factor is max / (norm + 1e-6), as in PyTorch. Gradients whose norm is not finite stay as they are.
 */
export function clipGradNorm(parameters: Iterable<Tensor>, max: number): number {
  if (!(max > 0)) throw new OptionError(`clipGradNorm: max must be above 0, got ${max}`);
  const gradients = gradientsOf(parameters);
  return step(() => {
    const norm = Math.sqrt(gradients.reduce((sum, g) => sum + sumSquares(g), 0));
    const factor = max / (norm + 1e-6);
    if (factor < 1 && Number.isFinite(norm)) {
      for (const g of gradients) scaleInPlace(g, factor);
    }
    return norm;
  });
}

/** Cuts every element of every gradient to ±limit. */
export function clipGradValue(parameters: Iterable<Tensor>, limit: number): void {
  if (!(limit > 0)) throw new OptionError(`clipGradValue: limit must be above 0, got ${limit}`);
  for (const x of gradientsOf(parameters)) apply(clampGradientOp, { x }, { limit });
}

function gradientsOf(parameters: Iterable<Tensor>): Tensor[] {
  return [...parameters].flatMap((p) => p.grad ?? []);
}
