import { scanKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkScan } from "../engine/self-check-scan.ts";
import { ShapeError } from "../errors.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(scanKernels);
selfChecks.scan = checkScan;

export const polarOp: Op<"nu" | "theta", "lambda", never, object> = {
  name: "polar",
  infer({ nu, theta }) {
    const [H] = nu;
    if (nu.length !== 1 || !H) throw new ShapeError(`polar: nu must be [H], got ${formatShape(nu)}`);
    expectShape("polar", "theta", theta, [H]);
    return { outputs: { lambda: [2, H] }, saved: {} };
  },
  forward({ shapes, inputs, outputs }) {
    const H = shapes.nu[0]!;
    run("polarForward", { ...inputs, lambda: outputs.lambda, H }, H);
  },
  backward({ shapes, inputs, outputs, gradOutputs, gradInputs }) {
    const H = shapes.nu[0]!;
    const args = {
      ...inputs,
      lambda: outputs.lambda,
      dLambda: gradOutputs.lambda,
      dNu: gradInputs.nu || workspace(H),
      dTheta: gradInputs.theta || workspace(H),
      H,
    };
    run("polarBackward", args, H);
  },
};

/**
 * Complex numbers inside the unit circle, λ = e^(−e^ν + i·e^θ) (Orvieto et al. 2023, arXiv:2303.06349, §3.3):
 * nu, theta [H] → [2, H], real parts, then imaginary parts; for `complexScan`.
 */
export function polar(nu: Tensor, theta: Tensor): Tensor {
  expectDtype("polar", "nu", nu, "float32");
  expectDtype("polar", "theta", theta, "float32");
  return apply(polarOp, { nu, theta }, {}).lambda;
}
