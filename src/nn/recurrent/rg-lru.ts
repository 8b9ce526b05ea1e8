import { add, maximum, mul, sub } from "../../ops/binary.ts";
import { linear } from "../../ops/linear.ts";
import { linearScan } from "../../ops/linear-scan.ts";
import { maskPadding } from "../../ops/padding.ts";
import { exp, log, sigmoid, sqrt, square } from "../../ops/pointwise.ts";
import { slice } from "../../ops/slice.ts";
import { uniform } from "../init.ts";
import type { Cell } from "./cell.ts";
import { plainOptions, Recurrent, type RecurrentOptions } from "./recurrent.ts";
import type { HiddenState } from "./state.ts";

/** The paper's c: how far a gate can shorten the memory. */
const SHARPNESS = 8;

function rgLruCell({ hiddenSize: H }: Required<RecurrentOptions>): Cell<HiddenState> {
  return {
    gates: 3,
    readsState: false,
    stateWidths: { h: H },
    extraWeights: () => ({ lambda: [H] }),
    initialize({ weight_lambda }) {
      // A decay σ(−Λ)^c uniform in [0.9, 0.999].
      const decays = uniform(weight_lambda!, 0.9, 0.999).toArray();
      weight_lambda!.set(decays.map((decay) => Math.log(decay ** (-1 / SHARPNESS) - 1)));
    },
    run({ input, weightIh, biasIh, extra, lengths }, state, reverse) {
      const x = maskPadding(input, lengths);
      const pre = linear(x, weightIh, biasIh);
      const part = (index: number) => slice(pre, 2, index * H, (index + 1) * H);
      const r = sigmoid(part(0));
      const i = sigmoid(part(1));
      const softplus = log(add(exp(extra.lambda!), 1));
      const a = exp(mul(r, mul(softplus, -SHARPNESS)));
      // Where a gate closes a is 1, and the root's slope there without end.
      const room = sqrt(maximum(sub(1, square(a)), 1e-6));
      const b = mul(room, mul(i, part(2)));
      const { output, h } = linearScan(a, b, { h0: state?.h, lengths, reverse });
      return { output, state: { h } };
    },
  };
}

/**
 * The real-gated linear recurrent unit of Griffin and Hawk (De et al. 2024, arXiv:2402.19427, eq. 1–4):
 * r = σ(W_a x + b_a), i = σ(W_x x + b_x), a = e^{−8·r·softplus(Λ)}, h_t = a_t∘h_{t−1} + √(1 − a_t²)∘(i_t∘u_t). Its input
 * is projected first, u = W_u x + b_u, so that any width fits; the rows of weight_ih [3·H, I] are r, i, u, and Λ is
 * weight_lambda [H].
 */
export class RGLRU extends Recurrent<HiddenState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("RGLRU"), rgLruCell);
  }
}
