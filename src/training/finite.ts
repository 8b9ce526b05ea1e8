import { currentScope } from "../autograd/step.ts";
import { NumericError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { firstNonFinite } from "../ops/measure.ts";
import type { Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";

const hint = "lower the learning rate, or clip gradients at a smaller norm";

/** `NaN at element 12 of 4096`, or undefined if all is finite. */
function describeBad(storage: Storage): string | undefined {
  if (storage.dtype !== "float32") return undefined;
  const t = new Tensor([storage.length], storage);
  const at = firstNonFinite(t);
  return at < 0 ? undefined : `${t.toArray()[at]} at element ${at} of ${storage.length}`;
}

/**
 * The error for a loss that is not finite: follows the running step's tape from its beginning to the first tensor, a
 * weight or what an op computed, that is not.
 */
export function lossError(where: string, loss: number, model: Module): NumericError {
  const names = new Map([...model.namedParameters()].map(([name, { storage }]) => [storage, name]));
  for (const node of currentScope()?.tape ?? []) {
    const weights: string[] = [];
    for (const [input, storage] of Object.entries(node.inputs)) {
      if (!storage) continue;
      const name = names.get(storage);
      const bad = describeBad(storage);
      if (name) weights.push(name);
      if (bad) return badTensor(where, loss, name ?? `input ${input} of ${node.op.name}`, bad);
    }
    for (const [output, storage] of Object.entries(node.outputs)) {
      const bad = describeBad(storage);
      const using = weights.length > 0 ? ` (with ${weights.join(", ")})` : "";
      if (bad) return badTensor(where, loss, `output ${output} of ${node.op.name}${using}`, bad);
    }
  }
  return new NumericError(`${where}: loss is ${loss}`, { hint });
}

function badTensor(where: string, loss: number, name: string, bad: string): NumericError {
  return new NumericError(`${where}: loss is ${loss}: the first bad tensor is ${name}, ${bad}`, { hint });
}

/** The error for a gradient norm that is not finite: names the first parameter whose gradient is not. */
export function gradientError(where: string, norm: number, model: Module): NumericError {
  for (const [name, { storage }] of model.namedParameters()) {
    const bad = storage.grad && describeBad(storage.grad);
    if (bad) return new NumericError(`${where}: gradient of ${name} is ${bad}`, { hint });
  }
  return new NumericError(`${where}: gradient norm is ${norm}, though each gradient is finite`, { hint });
}
