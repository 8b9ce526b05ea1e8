import { expectShape } from "../../autograd/apply.ts";
import { UsageError } from "../../errors.ts";
import { slice, stack } from "../../ops/slice.ts";
import type { Shape } from "../../tensor/shape.ts";
import { type Tensor, zeros } from "../../tensor/tensor.ts";

/**
 * What a recurrent layer remembers: h, and whatever else its cell has. Between calls of a layer each part is
 * [layers · directions, N, its width]; between the steps of a cell, [N, its width].
 */
export type HiddenState = {
  readonly h: Tensor;
};

/** What a cell begins with if no state is given, for an input [T, N, I]. */
export function zeroState<S extends HiddenState>(widths: Readonly<Record<string, number>>, input: Tensor): S {
  const N = input.shape[1]!;
  return Object.fromEntries(
    Object.entries(widths).map(([part, width]) => [part, zeros([N, width])]),
  ) as unknown as S;
}

/** The state with each part replaced. */
export function mapParts<S extends HiddenState>(state: S, f: (part: Tensor, name: keyof S) => Tensor): S {
  const mapped: Partial<Record<keyof S, Tensor>> = {};
  for (const name in state) mapped[name] = f(state[name] as Tensor, name);
  return mapped as S;
}

/** One row of each part. */
export function stateRow<S extends HiddenState>(state: S, row: number): S {
  return mapParts(state, (part) => {
    const one = part.shape[0] === 1 ? part : slice(part, 0, row, row + 1);
    return one.reshape(...part.shape.slice(1));
  });
}

/** The opposite: the states of all layers and directions, in order. */
export function stackStates<S extends HiddenState>(states: readonly S[]): S {
  return mapParts(states[0]!, (part, name) =>
    states.length === 1
      ? part.reshape(1, ...part.shape)
      : stack(
          states.map((state) => state[name] as Tensor),
          0,
        ),
  );
}

/** Refuses a state that has other parts or shapes than `expected`. */
export function checkState<S extends HiddenState>(
  where: string,
  state: S,
  expected: Record<keyof S, Shape>,
): void {
  for (const name in expected) {
    const part = state[name] as Tensor | undefined;
    if (!part) {
      const names = Object.keys(expected).join(" and ");
      throw new UsageError(`${where}: state must have ${names}, ${name} is missing`);
    }
    expectShape(where, `state.${name}`, part.shape, expected[name]);
  }
}
