import * as v from "valibot";
import { type Nonlinearity, rnn } from "../../ops/rnn.ts";
import { checkOptions, numberIn, oneOf, recordOf } from "../../options.ts";
import type { Cell } from "./cell.ts";
import { Recurrent, type RecurrentOptions, recurrentEntries } from "./recurrent.ts";
import type { HiddenState } from "./state.ts";

/** { h } */
export type RNNState = HiddenState;

export interface RNNOptions extends RecurrentOptions {
  /** "tanh" if left out. */
  nonlinearity?: Nonlinearity;
  /** The weight of Pascanu's regulariser, which keeps gradients from vanishing, see `rnn`. Default 0. */
  omega?: number;
}

const schema = recordOf({
  ...recurrentEntries,
  nonlinearity: v.optional(oneOf(["tanh", "relu", "sigmoid"]), "tanh"),
  omega: v.optional(numberIn({ from: 0 }), 0),
});
const check = (options: unknown) => checkOptions("RNN", schema, options);

function rnnCell({ hiddenSize, nonlinearity, omega }: Required<RNNOptions>): Cell<RNNState> {
  return {
    gates: 1,
    takesInt8: true,
    stateWidths: { h: hiddenSize },
    run({ extra: _, ...inputs }, state, reverse) {
      const { output, h } = rnn({ ...inputs, h0: state?.h }, { reverse, nonlinearity, omega });
      return { output, state: { h } };
    },
  };
}

/** Elman's recurrent network (1990), see `rnn`: h_t = f(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh). */
export class RNN extends Recurrent<RNNState, Required<RNNOptions>> {
  constructor(options: RNNOptions) {
    super(options, check, rnnCell);
  }
}
