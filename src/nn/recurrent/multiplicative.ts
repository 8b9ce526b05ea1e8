import { mlstm } from "../../ops/mlstm.ts";
import { mrnn } from "../../ops/mrnn.ts";
import type { MultiplicativeInputs } from "../../ops/multiplicative.ts";
import type { Cell, CellInputs } from "./cell.ts";
import type { LSTMState } from "./lstm.ts";
import { plainOptions, Recurrent, type RecurrentOptions } from "./recurrent.ts";
import type { HiddenState } from "./state.ts";

/** m has as many units as the state, as in both papers. */
function multiplicative({ hiddenSize: H }: Required<RecurrentOptions>) {
  return { stateWidths: { h: H }, extraWeights: (I: number) => ({ im: [H, I], hm: [H, H] }) };
}

function withFactors({ extra, ...inputs }: CellInputs): MultiplicativeInputs {
  return { ...inputs, weightIm: extra.im!, weightHm: extra.hm! };
}

function mrnnCell(options: Required<RecurrentOptions>): Cell<HiddenState> {
  return {
    ...multiplicative(options),
    gates: 1,
    run(inputs, state, reverse) {
      const { output, h } = mrnn({ ...withFactors(inputs), h0: state?.h }, { reverse });
      return { output, state: { h } };
    },
  };
}

function mlstmCell(options: Required<RecurrentOptions>): Cell<LSTMState> {
  const { stateWidths, extraWeights } = multiplicative(options);
  return {
    extraWeights,
    stateWidths: { ...stateWidths, c: options.hiddenSize },
    gates: 4,
    run(inputs, state, reverse) {
      const { output, h, c } = mlstm({ ...withFactors(inputs), h0: state?.h, c0: state?.c }, { reverse });
      return { output, state: { h, c } };
    },
  };
}

/** The multiplicative RNN (Sutskever, Martens & Hinton 2011), see `mrnn`; each layer has weight_im and weight_hm too. */
export class MRNN extends Recurrent<HiddenState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("MRNN"), mrnnCell);
  }
}

/** The multiplicative LSTM (Krause et al. 2016), see `mlstm`; each layer has weight_im and weight_hm too. */
export class MLSTM extends Recurrent<LSTMState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("MLSTM"), mlstmCell);
  }
}
