import { formatShape, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What keeps the tensors of `state` from taking the place of those of `own`, a line each. */
export function stateProblems(
  own: ReadonlyMap<string, Tensor>,
  state: ReadonlyMap<string, Tensor>,
): string[] {
  const problems: string[] = [];
  for (const [name, { shape }] of own) {
    const there = state.get(name);
    if (!there) problems.push(`${name} is missing`);
    else if (there.dtype !== "float32") problems.push(`${name} must be float32, got ${there.dtype}`);
    else if (!sameShape(shape, there.shape)) {
      problems.push(`${name} must be ${formatShape(shape)}, got ${formatShape(there.shape)}`);
    }
  }
  for (const name of state.keys()) if (!own.has(name)) problems.push(`${name} is unexpected`);
  return problems;
}
