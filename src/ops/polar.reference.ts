import type { ReferenceOf } from "../autograd/op.ts";
import type { polarOp } from "./polar.ts";

export const polar: ReferenceOf<typeof polarOp> = {
  forward({ inputs: { nu, theta }, outputs: { lambda } }) {
    const H = nu.length;
    for (let i = 0; i < H; i++) {
      const size = Math.exp(-Math.exp(nu[i]!));
      const angle = Math.exp(theta[i]!);
      lambda[i] = size * Math.cos(angle);
      lambda[H + i] = size * Math.sin(angle);
    }
  },
  backward({ inputs: { nu, theta }, outputs: { lambda }, gradOutputs: { lambda: d }, gradInputs }) {
    const H = nu.length;
    for (let i = 0; i < H; i++) {
      const [re, im] = [lambda[i]!, lambda[H + i]!];
      gradInputs.nu[i]! -= Math.exp(nu[i]!) * (d[i]! * re + d[H + i]! * im);
      gradInputs.theta[i]! += Math.exp(theta[i]!) * (d[H + i]! * re - d[i]! * im);
    }
  },
};
