import { step } from "../autograd/step.ts";
import type { Module } from "../nn/module.ts";
import { norm } from "../ops/measure.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ParameterNorms } from "./events.ts";

/** √Σw² over all parameters. */
export function parameterNorm(parameters: readonly Tensor[]): number {
  return step(() => Math.sqrt(parameters.reduce((sum, p) => sum + norm(p) ** 2, 0)));
}

/** The norm of each parameter's gradient, 0 where there is none: to be asked before the optimizer consumes it. */
export function gradientNorms(model: Module): Map<string, number> {
  const norms = new Map<string, number>();
  step(() => {
    for (const [name, { grad }] of model.namedParameters()) norms.set(name, grad ? norm(grad) : 0);
  });
  return norms;
}

/** Each parameter's norm beside that of its gradient. */
export function parameterNorms(
  model: Module,
  gradients: ReadonlyMap<string, number>,
): Record<string, ParameterNorms> {
  const norms: Record<string, ParameterNorms> = {};
  step(() => {
    for (const [name, p] of model.namedParameters()) {
      norms[name] = { gradient: gradients.get(name) ?? 0, parameter: norm(p) };
    }
  });
  return norms;
}
