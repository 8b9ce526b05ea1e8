import { add, mul } from "../../ops/binary.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import { maskPadding } from "../../ops/padding.ts";
import { sigmoid, tanh } from "../../ops/pointwise.ts";
import { scan } from "../../ops/scan.ts";
import { slice } from "../../ops/slice.ts";
import { constant } from "../init.ts";
import type { Cell } from "./cell.ts";
import type { LSTMState } from "./lstm.ts";
import { plainOptions, Recurrent, type RecurrentOptions } from "./recurrent.ts";
import { zeroState } from "./state.ts";

function layerNormCell({ hiddenSize: H }: Required<RecurrentOptions>): Cell<LSTMState> {
  const stateWidths = { h: H, c: H };
  return {
    gates: 4,
    stateWidths,
    extraWeights: () => ({ norm_ih: [4 * H], norm_hh: [4 * H], norm_c: [2, H] }),
    initialize({ weight_norm_ih, weight_norm_hh, weight_norm_c, bias_ih, bias_hh }) {
      constant(weight_norm_ih!, 1);
      constant(weight_norm_hh!, 1);
      weight_norm_c!.set(Float32Array.from({ length: 2 * H }, (_, i) => Number(i < H)));
      // The forget gates begin open.
      bias_ih?.set(Float32Array.from({ length: 4 * H }, (_, i) => Number(i >= H && i < 2 * H)));
      if (bias_hh) constant(bias_hh, 0);
    },
    run({ input, weightIh, weightHh, biasIh, biasHh, extra, lengths }, state, reverse) {
      const x = maskPadding(input, lengths);
      const normed = layerNorm(linear(x, weightIh), extra.norm_ih);
      const pre = biasIh ? add(normed, biasIh) : normed;
      const [gain, shift] = [0, 1].map((row) => slice(extra.norm_c!, 0, row, row + 1).reshape(H));
      const begin = state ?? zeroState<LSTMState>(stateWidths, input);
      return scan(
        (x, { h, c }) => {
          const gates = add(x, layerNorm(linear(h!, weightHh), extra.norm_hh, biasHh));
          const gate = (index: number) => slice(gates, 1, index * H, (index + 1) * H);
          const kept = mul(sigmoid(gate(1)), c!);
          const next = add(kept, mul(sigmoid(gate(0)), tanh(gate(2))));
          const output = mul(sigmoid(gate(3)), tanh(layerNorm(next, gain, shift)));
          return { output, state: { h: output, c: next } };
        },
        pre,
        begin as Readonly<Record<string, typeof input>>,
        { lengths, reverse },
      ) as unknown as { output: typeof input; state: LSTMState };
    },
  };
}

/**
 * An LSTM with layer normalization (Ba et al. 2016, arXiv:1607.06450, eq. 20–22): gates from LN(W_ih x) + LN(W_hh h) + b, and
 * h = σ(o)∘tanh(LN(c)). The rows of the weights are i, f, g, o as an LSTM's; weight_norm_ih and weight_norm_hh [4·H] are the
 * gains of the first two, weight_norm_c [2, H] gain and bias of the third. It runs op by op: several times as slow as an LSTM.
 */
export class LayerNormLSTM extends Recurrent<LSTMState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("LayerNormLSTM"), layerNormCell);
  }
}
