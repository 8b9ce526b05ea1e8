import * as v from "valibot";
import { OptionError } from "../../errors.ts";
import { lstm } from "../../ops/lstm.ts";
import { checkOptions, numberIn, recordOf, trueOrFalse, wholeNumber } from "../../options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { uniform, zeroParameter } from "../init.ts";
import type { Cell } from "./cell.ts";
import { Recurrent, type RecurrentOptions, recurrentEntries } from "./recurrent.ts";
import type { HiddenState } from "./state.ts";

/** { h, c }: what the layer says and what it keeps. */
export type LSTMState = HiddenState & { readonly c: Tensor };

export interface LSTMOptions extends RecurrentOptions {
  /** P: h is projected to this width by weight_hr (Sak et al. 2014); 0 for no projection. */
  projSize?: number;
  /** Whether the gates see the cell state, through weight_peephole, rows i, f, o (Gers & Schmidhuber 2000). */
  peepholes?: boolean;
  /**
   * The initial bias of the forget gate: 1 makes a fresh LSTM remember (Jozefowicz et al. 2015). It goes into bias_ih, and
   * that part of bias_hh is 0. If left out it is drawn like the others, as in PyTorch.
   */
  forgetGateBias?: number | undefined;
  /**
   * T: the gates begin with what remembers for up to T steps, each unit for another time: forget gates' biases are ln u with
   * u uniform in [1, T − 1), input gates' the opposite (Tallec & Ollivier 2018, eq. 16). In place of a forgetGateBias.
   */
  chrono?: number | undefined;
}

const schema = recordOf({
  ...recurrentEntries,
  projSize: v.optional(wholeNumber(0, 1_000_000), 0),
  peepholes: v.optional(trueOrFalse(), false),
  forgetGateBias: v.optional(numberIn({})),
  chrono: v.optional(numberIn({ from: 3 })),
});

function check(options: unknown): Required<LSTMOptions> {
  const checked = {
    forgetGateBias: undefined,
    chrono: undefined,
    ...checkOptions("LSTM", schema, options),
  };
  const { hiddenSize, projSize, bias, forgetGateBias, chrono } = checked;
  if (projSize >= hiddenSize) {
    throw new OptionError(`LSTM: projSize must be below hiddenSize, ${hiddenSize}, got ${projSize}`);
  }
  for (const [name, value] of Object.entries({ forgetGateBias, chrono })) {
    if (value === undefined || bias) continue;
    throw new OptionError(`LSTM: ${name} must be left out where bias is false`);
  }
  if (forgetGateBias !== undefined && chrono !== undefined) {
    throw new OptionError("LSTM: forgetGateBias must be left out where chrono is given");
  }
  return checked;
}

function lstmCell({ hiddenSize, projSize, peepholes }: Required<LSTMOptions>): Cell<LSTMState> {
  return {
    gates: 4,
    takesInt8: true,
    stateWidths: { h: projSize || hiddenSize, c: hiddenSize },
    extraWeights: () => ({
      ...(projSize ? { hr: [projSize, hiddenSize] } : {}),
      ...(peepholes ? { peephole: [3, hiddenSize] } : {}),
    }),
    run({ extra, ...inputs }, state, reverse) {
      const { output, h, c } = lstm(
        { ...inputs, h0: state?.h, c0: state?.c, weightHr: extra.hr, peephole: extra.peephole },
        { reverse },
      );
      return { output, state: { h, c } };
    },
  };
}

/**
 * Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gates (Gers et al. 2000), see `lstm`; the rows of
 * its weights are the gates i, f, g, o.
 */
export class LSTM extends Recurrent<LSTMState, Required<LSTMOptions>> {
  constructor(options: LSTMOptions) {
    super(options, check, lstmCell);
    const { hiddenSize: H, forgetGateBias, chrono } = this.options;
    if (forgetGateBias === undefined && chrono === undefined) return;
    for (const [name, p] of this.namedParameters()) {
      if (!name.startsWith("bias_")) continue;
      const values = p.toArray();
      const forget = name.startsWith("bias_hh")
        ? new Float32Array(H)
        : chrono === undefined
          ? new Float32Array(H).fill(forgetGateBias!)
          : uniform(zeroParameter([H]), 1, chrono - 1)
              .toArray()
              .map(Math.log);
      values.set(forget, H);
      if (chrono !== undefined) values.set(forget.map((bias) => 0 - bias));
      p.set(values);
    }
  }
}
