import { add, mul } from "../../ops/binary.ts";
import { linear } from "../../ops/linear.ts";
import { complexScan } from "../../ops/linear-scan.ts";
import { maskPadding } from "../../ops/padding.ts";
import { exp } from "../../ops/pointwise.ts";
import { polar } from "../../ops/polar.ts";
import { concat, slice } from "../../ops/slice.ts";
import { uniform, xavierNormal } from "../init.ts";
import type { Cell } from "./cell.ts";
import { plainOptions, Recurrent, type RecurrentOptions } from "./recurrent.ts";
import type { HiddenState } from "./state.ts";

/** Where the moduli |λ| lie at first: a ring close to the unit circle, so that a fresh layer remembers. */
const RING = [0.9, 0.999] as const;

function lruCell({ hiddenSize: H }: Required<RecurrentOptions>): Cell<HiddenState> {
  return {
    gates: 3,
    readsState: false,
    stateWidths: { h: 2 * H },
    outputSize: H,
    extraWeights: () => ({ nu: [H], theta: [H], gamma: [H], out: [H, 2 * H] }),
    initialize({ weight_ih, weight_nu, weight_theta, weight_gamma, weight_out }) {
      // Uniform over the ring's area; γ makes the variance of the state that of the input (ibid., §3.4).
      const squares = uniform(weight_nu!, RING[0] ** 2, RING[1] ** 2).toArray();
      weight_nu!.set(squares.map((square) => Math.log(-0.5 * Math.log(square))));
      weight_gamma!.set(squares.map((square) => 0.5 * Math.log(1 - square)));
      weight_theta!.set(
        uniform(weight_theta!, 0, 1)
          .toArray()
          .map((u) => Math.log(2 * Math.PI * (u + 1e-6))),
      );
      xavierNormal(weight_ih!);
      xavierNormal(weight_out!);
    },
    run({ input, weightIh, biasIh, extra, lengths }, state, reverse) {
      const x = maskPadding(input, lengths);
      const pre = linear(x, weightIh, biasIh);
      const gamma = exp(extra.gamma!);
      const driven = mul(slice(pre, 2, 0, 2 * H), concat([gamma, gamma], 0));
      const lambda = polar(extra.nu!, extra.theta!);
      const { output, h } = complexScan(lambda, driven, { h0: state?.h, lengths, reverse });
      const y = add(linear(output, extra.out!), slice(pre, 2, 2 * H, 3 * H));
      return { output: maskPadding(y, lengths), state: { h } };
    },
  };
}

/**
 * The linear recurrent unit (Orvieto et al. 2023, arXiv:2303.06349): h_t = λ∘h_{t−1} + e^γ∘(B x_t) over complex numbers
 * with λ = e^(−e^ν + i·e^θ), output Re(C h_t) + D x_t. The state's h [N, 2·H] holds real parts, then imaginary parts; the
 * rows of weight_ih [3·H, I] are Re B, Im B, D, and weight_out [H, 2·H] is Re C beside −Im C.
 */
export class LRU extends Recurrent<HiddenState, Required<RecurrentOptions>> {
  constructor(options: RecurrentOptions) {
    super(options, plainOptions("LRU"), lruCell);
  }
}
