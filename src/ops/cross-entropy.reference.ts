import type { ReferenceOf } from "../autograd/op.ts";
import { type crossEntropyOp, targetError } from "./cross-entropy.ts";
import { logSumExp } from "./softmax.reference.ts";

export const crossEntropy: ReferenceOf<typeof crossEntropyOp> = {
  forward({ shapes, inputs: { logits, targets }, outputs, saved }, attributes) {
    const { ignoreIndex, labelSmoothing: ε, reduction } = attributes;
    const V = shapes.logits.at(-1)!;
    const losses = Float64Array.from(targets, (target, r) => {
      if (target === ignoreIndex) return 0;
      if (target < 0 || target >= V) throw targetError(target, V);
      const x = logits.subarray(r * V, (r + 1) * V);
      const mean = x.reduce((sum, value) => sum + value, 0) / V;
      return logSumExp(x) - (1 - ε) * x[target]! - ε * mean;
    });
    const count = targets.reduce((n, target) => n + (target === ignoreIndex ? 0 : 1), 0);
    saved.factor[0] = reduction === "mean" ? (count ? 1 / count : 0) : 1;
    if (reduction === "none") outputs.loss.set(losses);
    else outputs.loss[0] = saved.factor[0] * losses.reduce((sum, loss) => sum + loss, 0);
  },
  backward({ shapes, inputs: { logits, targets }, saved, gradOutputs, gradInputs }, attributes) {
    const { ignoreIndex, labelSmoothing: ε, reduction } = attributes;
    const V = shapes.logits.at(-1)!;
    targets.forEach((target, r) => {
      if (target === ignoreIndex) return;
      const g = gradOutputs.loss[reduction === "none" ? r : 0]! * saved.factor[0]!;
      const total = logSumExp(logits.subarray(r * V, (r + 1) * V));
      for (let v = 0; v < V; v++) {
        const wanted = ε / V + (v === target ? 1 - ε : 0);
        gradInputs.logits[r * V + v]! += g * (Math.exp(logits[r * V + v]! - total) - wanted);
      }
    });
  },
};
