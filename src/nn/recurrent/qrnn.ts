import { mul, sub } from "../../ops/binary.ts";
import { linear } from "../../ops/linear.ts";
import { linearScan } from "../../ops/linear-scan.ts";
import { maskPadding } from "../../ops/padding.ts";
import { sigmoid, tanh } from "../../ops/pointwise.ts";
import { slice } from "../../ops/slice.ts";
import type { Cell } from "./cell.ts";
import { plainOptions, Recurrent, type RecurrentOptions } from "./recurrent.ts";
import type { HiddenState } from "./state.ts";

function qrnnCell({ hiddenSize: H }: Required<RecurrentOptions>): Cell<HiddenState> {
  return {
    gates: 3,
    readsState: false,
    stateWidths: { h: H },
    run({ input, weightIh, biasIh, lengths }, state, reverse) {
      const x = maskPadding(input, lengths);
      const pre = linear(x, weightIh, biasIh);
      const gate = (index: number) => slice(pre, 2, index * H, (index + 1) * H);
      const z = tanh(gate(0));
      const f = sigmoid(gate(1));
      const { output, h } = linearScan(f, mul(sub(1, f), z), { h0: state?.h, lengths, reverse });
      return { output: mul(sigmoid(gate(2)), output), state: { h } };
    },
  };
}

/**
 * The quasi-recurrent network with fo-pooling and a window of one step (Bradbury et al. 2017, arXiv:1611.01576):
 * c_t = f_t∘c_{t−1} + (1 − f_t)∘z_t, output o_t∘c_t, with z = tanh, f and o = σ of products with the input. The state's h
 * is c; the rows of weight_ih [3·H, I] are z, f, o.
 */
export class QRNN extends Recurrent<HiddenState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("QRNN"), qrnnCell);
  }
}
