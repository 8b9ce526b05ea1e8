import * as v from "valibot";
import { OptionError } from "../../errors.ts";
import { add, mul, sub } from "../../ops/binary.ts";
import { dropout } from "../../ops/dropout.ts";
import { maskPadding } from "../../ops/padding.ts";
import { slice, stack } from "../../ops/slice.ts";
import { checkOptions, numberIn, recordOf } from "../../options.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Cell, CellInputs } from "./cell.ts";
import type { GRU } from "./gru.ts";
import type { LSTM } from "./lstm.ts";
import type { MLSTM, MRNN } from "./multiplicative.ts";
import type { RunOptions } from "./recurrent.ts";
import type { RNN } from "./rnn.ts";
import { type HiddenState, mapParts, zeroState } from "./state.ts";

export interface ZoneoutOptions {
  /** The probability that a unit of h keeps its value for a step. 0 if left out. */
  h?: number | undefined;
  /** Of cells that have a c, the probability that a unit of it does. 0 if left out. */
  c?: number | undefined;
}

const rate = v.optional(numberIn({ from: 0, below: 1 }), 0);
const schema = recordOf({ h: rate, c: rate });

/**
 * Zoneout (Krueger et al. 2017, §3): lets units of the state keep their values, at random, in training. For each part s of
 * the state s_t = d∘s_{t−1} + (1 − d)∘s̃_t, where s̃_t is what the cell makes of the whole state before, and d is 1 with
 * probability p in training; outside of it d is p. Returns the layer, which has it from now on.
 *
 *     const lstm = withZoneout(new LSTM({ inputSize: 64, hiddenSize: 256 }), { h: 0.05, c: 0.5 });
 *
 * What a step begins with is then not what the cell left: it runs step by step, several times as slowly.
 */
export function withZoneout<L extends RNN | LSTM | GRU | MRNN | MLSTM>(layer: L, options: ZoneoutOptions): L {
  const rates: Readonly<Record<string, number>> = checkOptions("withZoneout", schema, options);
  if (options.c !== undefined && !("c" in layer.stateShapes(1))) {
    throw new OptionError(
      `withZoneout: c is of cells that have one, and ${layer.constructor.name} has h alone`,
    );
  }
  if ((layer.options as { omega?: number }).omega) {
    throw new OptionError("withZoneout: omega is of a state that goes from step to step as the cell left it");
  }
  layer.runCell = (
    cell: Cell<HiddenState>,
    inputs: CellInputs,
    state: HiddenState | undefined,
    run: RunOptions,
  ) => zonedOut(cell, inputs, state ?? zeroState(cell.stateWidths, inputs.input), rates, run) as never;
  return layer;
}

function zonedOut(
  cell: Cell<HiddenState>,
  { input, lengths, ...weights }: CellInputs,
  state: HiddenState,
  rates: Readonly<Record<string, number>>,
  { reverse, training, stream }: RunOptions,
): { output: Tensor; state: HiddenState } {
  const T = input.shape[0]!;
  const lengthOf = lengths?.toArray();
  const outputs = new Array<Tensor>(T);
  for (let k = 0; k < T; k++) {
    const t = reverse ? T - 1 - k : k;
    // Past its length a sequence has no step: what has not changed stays the same, held or not.
    const left = lengthOf && tensor(Int32Array.from(lengthOf, (length) => (length > t ? 1 : 0)));
    const x = T === 1 ? input : slice(input, 0, t, t + 1);
    const before = state as unknown as Record<string, Tensor>;
    const { state: next } = cell.run({ ...weights, input: x, lengths: left }, state, reverse);
    state = mapParts(next, (after, part) => {
      const p = rates[part]!;
      if (p === 0) return after;
      const change = dropout(sub(after, before[part]!), p, { stream: stream(part), training, tOffset: t });
      // Dropout divides what it lets through by 1 − p, and outside of training lets all of it through.
      return add(before[part]!, mul(change, 1 - p));
    });
    outputs[t] = state.h;
  }
  const output = stack(outputs, 0);
  return { output: maskPadding(output, lengths), state };
}
