import { minGru, minLstm } from "../../ops/minimal.ts";
import type { Cell } from "./cell.ts";
import { plainOptions, Recurrent, type RecurrentOptions } from "./recurrent.ts";
import type { HiddenState } from "./state.ts";

function minimalCell(gates: number, op: typeof minGru) {
  return ({ hiddenSize }: Required<RecurrentOptions>): Cell<HiddenState> => ({
    gates,
    readsState: false,
    stateWidths: { h: hiddenSize },
    run({ input, weightIh, biasIh, lengths }, state, reverse) {
      const { output, h } = op({ input, weightIh, biasIh, h0: state?.h, lengths }, { reverse });
      return { output, state: { h } };
    },
  });
}

/** minGRU (Feng et al. 2024), a GRU whose gates read the input alone, see `minGru`; the rows of its weights are z, h̃. */
export class MinGRU extends Recurrent<HiddenState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("MinGRU"), minimalCell(2, minGru));
  }
}

/**
 * minLSTM (Feng et al. 2024), an LSTM whose gates read the input alone, see `minLstm`; the rows of its weights are
 * f, i, h̃.
 */
export class MinLSTM extends Recurrent<HiddenState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("MinLSTM"), minimalCell(3, minLstm));
  }
}
