import type { ReferenceOf } from "../autograd/op.ts";
import type { Shape } from "../tensor/shape.ts";
import type { batchNormOp } from "./batch-norm.ts";

/** The places of each channel's numbers in x [N, C, ...]. */
function channels(x: Shape): number[][] {
  const [N, C] = x as [number, number];
  const size = x.slice(2).reduce((a, b) => a * b, 1);
  return Array.from({ length: C }, (_, c) =>
    Array.from({ length: N * size }, (_, i) => (Math.floor(i / size) * C + c) * size + (i % size)),
  );
}

const total = (values: number[]) => values.reduce((sum, v) => sum + v, 0);

export const batchNorm: ReferenceOf<typeof batchNormOp> = {
  forward({ shapes, inputs: { x, weight, bias }, outputs: { y, mean, variance } }, { eps }) {
    for (const [c, places] of channels(shapes.x).entries()) {
      const μ = total(places.map((i) => x[i]!)) / places.length;
      const σ2 = total(places.map((i) => (x[i]! - μ) ** 2)) / places.length;
      for (const i of places) y[i] = ((x[i]! - μ) / Math.sqrt(σ2 + eps)) * (weight[c] ?? 1) + (bias[c] ?? 0);
      mean[c] = μ;
      variance[c] = σ2;
    }
  },
  backward({ shapes, inputs: { x, weight }, outputs, gradOutputs, gradInputs }, { eps }) {
    const { y, mean: dMean, variance: dVariance } = gradOutputs;
    for (const [c, places] of channels(shapes.x).entries()) {
      const m = places.length;
      const σ = Math.sqrt(outputs.variance[c]! + eps);
      const normal = (i: number) => (x[i]! - outputs.mean[c]!) / σ;
      const dy = (i: number) => y[i] ?? 0;
      const sumG = total(places.map(dy));
      const sumGN = total(places.map((i) => dy(i) * normal(i)));
      if (gradInputs.weight.length) gradInputs.weight[c]! += sumGN;
      if (gradInputs.bias.length) gradInputs.bias[c]! += sumG;
      if (!gradInputs.x.length) continue;
      for (const i of places) {
        const g = (weight[c] ?? 1) * (dy(i) - sumG / m - (normal(i) * sumGN) / m);
        const moments = (dMean[c] ?? 0) / m + ((dVariance[c] ?? 0) * 2 * normal(i) * σ) / m;
        gradInputs.x[i]! += g / σ + moments;
      }
    }
  },
};
