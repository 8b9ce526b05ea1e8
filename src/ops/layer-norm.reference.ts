import type { ReferenceOf } from "../autograd/op.ts";
import type { layerNormOp } from "./layer-norm.ts";

const mean = (row: Float64Array) => row.reduce((sum, x) => sum + x, 0) / row.length;

export const layerNorm: ReferenceOf<typeof layerNormOp> = {
  forward({ shapes, inputs: { x, weight, bias }, outputs: { y } }, { eps }) {
    const F = shapes.x.at(-1)!;
    for (let r = 0; r < x.length; r += F) {
      const row = x.subarray(r, r + F);
      const μ = mean(row);
      const σ = Math.sqrt(mean(row.map((value) => (value - μ) ** 2)) + eps);
      row.forEach((value, j) => {
        y[r + j] = ((value - μ) / σ) * (weight[j] ?? 1) + (bias[j] ?? 0);
      });
    }
  },
  backward({ shapes, inputs: { x, weight }, gradOutputs, gradInputs }, { eps }) {
    const F = shapes.x.at(-1)!;
    for (let r = 0; r < x.length; r += F) {
      const row = x.subarray(r, r + F);
      const dy = gradOutputs.y.subarray(r, r + F);
      const μ = mean(row);
      const σ = Math.sqrt(mean(row.map((value) => (value - μ) ** 2)) + eps);
      const normal = row.map((value) => (value - μ) / σ);
      const g = dy.map((d, j) => d * (weight[j] ?? 1));
      const meanG = mean(g);
      const meanGN = mean(g.map((value, j) => value * normal[j]!));
      for (let j = 0; j < F; j++) {
        if (gradInputs.x.length) gradInputs.x[r + j]! += (g[j]! - meanG - normal[j]! * meanGN) / σ;
        if (gradInputs.weight.length) gradInputs.weight[j]! += dy[j]! * normal[j]!;
        if (gradInputs.bias.length) gradInputs.bias[j]! += dy[j]!;
      }
    }
  },
};
