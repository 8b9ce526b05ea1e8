import { add, div, maximum, minimum, mul, sub } from "../../ops/binary.ts";
import { linear } from "../../ops/linear.ts";
import { maskPadding } from "../../ops/padding.ts";
import { abs, exp, log, neg, sigmoid, tanh } from "../../ops/pointwise.ts";
import { scan } from "../../ops/scan.ts";
import { slice } from "../../ops/slice.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Cell } from "./cell.ts";
import { plainOptions, Recurrent, type RecurrentOptions } from "./recurrent.ts";
import { type HiddenState, zeroState } from "./state.ts";

/** What the layer says and keeps: cells c, their normalizers n, and m, by whose exponential both are divided. */
export type SLSTMState = HiddenState & { readonly c: Tensor; readonly n: Tensor; readonly m: Tensor };

/** ln σ(x), also where σ(x) rounds to 0. */
export const logSigmoid = (x: Tensor) => sub(minimum(x, 0), log(add(exp(neg(abs(x))), 1)));

/** Biases of H forget gates that begin to remember, each for another time: 3 to 6 (Beck et al. 2024, App. D.2). */
export const rememberingBias = (H: number) =>
  Float32Array.from({ length: H }, (_, i) => 3 + (3 * i) / Math.max(1, H - 1));

/** A normalizer below this is as good as nothing said. */
const TINY = 1e-6;

function slstmCell({ hiddenSize: H }: Required<RecurrentOptions>): Cell<SLSTMState> {
  const stateWidths = { h: H, c: H, n: H, m: H };
  return {
    gates: 4,
    stateWidths,
    initialize({ bias_ih, bias_hh }) {
      if (!bias_ih || !bias_hh) return;
      const [input, state] = [bias_ih.toArray(), bias_hh.toArray()];
      input.set(rememberingBias(H), H);
      state.fill(0, H, 2 * H);
      bias_ih.set(input);
      bias_hh.set(state);
    },
    run({ input, weightIh, weightHh, biasIh, biasHh, lengths }, state, reverse) {
      const x = maskPadding(input, lengths);
      const begin = state ?? zeroState<SLSTMState>(stateWidths, input);
      return scan(
        (x, { h, c, n, m }) => {
          const gates = add(x, linear(h!, weightHh, biasHh));
          const gate = (index: number) => slice(gates, 1, index * H, (index + 1) * H);
          const [i, f] = [gate(0), add(logSigmoid(gate(1)), m!)];
          const most = maximum(i, f);
          const [take, keep] = [exp(sub(i, most)), exp(sub(f, most))];
          const cell = add(mul(keep, c!), mul(take, tanh(gate(2))));
          const norm = add(mul(keep, n!), take);
          const output = mul(sigmoid(gate(3)), div(cell, maximum(norm, TINY)));
          return { output, state: { h: output, c: cell, n: norm, m: most } };
        },
        linear(x, weightIh, biasIh),
        begin as Readonly<Record<string, Tensor>>,
        { lengths, reverse },
      ) as unknown as { output: Tensor; state: SLSTMState };
    },
  };
}

/**
 * sLSTM of xLSTM, with one head (Beck et al. 2024, arXiv:2405.04517, eq. 8–17): an LSTM whose input gate is an exponential, and
 * whose cells are divided by what the gates add up to, c_t = σ(f)∘c_{t−1} + e^i∘tanh(z), n_t = σ(f)∘n_{t−1} + e^i,
 * h_t = σ(o)∘c_t / n_t. c and n are kept divided by e^m, m_t = max(ln σ(f) + m_{t−1}, i). The rows of the weights are i, f, z, o.
 * It runs op by op: several times as slow as an LSTM.
 */
export class SLSTM extends Recurrent<SLSTMState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("SLSTM"), slstmCell);
  }
}
