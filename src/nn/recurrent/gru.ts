import * as v from "valibot";
import { gru } from "../../ops/gru.ts";
import { checkOptions, recordOf, trueOrFalse } from "../../options.ts";
import type { Cell } from "./cell.ts";
import { Recurrent, type RecurrentOptions, recurrentEntries } from "./recurrent.ts";
import type { HiddenState } from "./state.ts";

/** { h } */
export type GRUState = HiddenState;

export interface GRUOptions extends RecurrentOptions {
  /** Whether the reset gate acts after the product with W_hn, as in PyTorch, or before it (Cho et al. 2014). */
  resetAfter?: boolean;
}

const schema = recordOf({ ...recurrentEntries, resetAfter: v.optional(trueOrFalse(), true) });
const check = (options: unknown) => checkOptions("GRU", schema, options);

function gruCell({ hiddenSize, resetAfter }: Required<GRUOptions>): Cell<GRUState> {
  return {
    gates: 3,
    takesInt8: resetAfter,
    stateWidths: { h: hiddenSize },
    run({ extra: _, ...inputs }, state, reverse) {
      const { output, h } = gru({ ...inputs, h0: state?.h }, { reverse, resetAfter });
      return { output, state: { h } };
    },
  };
}

/** The gated recurrent unit (Cho et al. 2014), see `gru`; the rows of its weights are the gates r, z, n. */
export class GRU extends Recurrent<GRUState, Required<GRUOptions>> {
  constructor(options: GRUOptions) {
    super(options, check, gruCell);
  }
}
