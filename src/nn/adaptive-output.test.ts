import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { sum } from "../ops/reduce.ts";
import { manualSeed } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { AdaptiveOutput, countOfAdaptive } from "./adaptive-output.ts";

const sizes = { inFeatures: 16, vocabularySize: 23, cutoffs: [6, 13, 20] };
const [T, N] = [5, 4];
const input = () =>
  tensor(
    Float32Array.from({ length: T * N * 16 }, (_, i) => 2 * Math.sin(1 + i * i)),
    [T, N, 16],
    { requiresGrad: true },
  );
// All clusters but the third have words of these, in no order; two are none.
const targets = tensor(
  Int32Array.from({ length: T * N }, (_, i) => (i < 2 ? -100 : (i * 7) % 13)),
  [T, N],
);

function made() {
  manualSeed(3);
  return new AdaptiveOutput(sizes);
}

describe("an adaptive softmax", () => {
  it("gives each word its probability: of its cluster, and within it", () => {
    const output = made();
    const logProbs = step(() => output.forward(input()).toArray());
    for (let row = 0; row < T * N; row++) {
      const p = [...logProbs.subarray(row * 23, (row + 1) * 23)].map(Math.exp);
      expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
    const x = input().toArray();
    const product = (weight: { toArray(): ArrayLike<number> }, from: number[]) => {
      const w = Array.from(weight.toArray());
      return Array.from({ length: w.length / from.length }, (_, r) =>
        from.reduce((sum, value, i) => sum + value * w[r * from.length + i]!, 0),
      );
    };
    const logSoftmax = (z: number[]) => {
      const total = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
      return z.map((value) => value - total);
    };
    const row = Array.from(x.subarray(16, 32));
    const head = logSoftmax(product(output.head.weight, row));
    const expected = head.slice(0, 6);
    for (const [k, [narrow, out]] of output.tail.entries()) {
      const within = logSoftmax(product(out!.weight, product(narrow!.weight, row)));
      expected.push(...within.map((value) => value + head[6 + k]!));
    }
    for (const [w, value] of expected.entries()) expect(logProbs[23 + w]).toBeCloseTo(value, 5);
  });

  it.each(["mean", "sum", "none"] as const)(
    "has the loss of its probabilities, and gradients: %s",
    (reduction) => {
      const found = [true, false].map((own) => {
        const output = made();
        const x = input();
        return step(() => {
          const loss = own
            ? output.loss(x, targets, { reduction })
            : crossEntropy(output.forward(x), targets, { reduction });
          sum(loss).backward();
          const of = [x, ...output.parameters()];
          const gradients = of.flatMap(({ grad, size }) => [...(grad?.toArray() ?? new Float32Array(size))]);
          return { loss: [...loss.toArray()], gradients };
        });
      });
      const [own, whole] = found as [(typeof found)[0], (typeof found)[0]];
      expect(own.loss.length).toBe(reduction === "none" ? T * N : 1);
      for (const [i, value] of whole.loss.entries()) expect(own.loss[i]).toBeCloseTo(value, 4);
      expect(Math.max(...whole.gradients)).toBeGreaterThan(0.01);
      for (const [i, value] of whole.gradients.entries()) expect(own.gradients[i]).toBeCloseTo(value, 5);
    },
  );

  it("has as many weights as is said, by PyTorch's names", () => {
    const output = made();
    expect(output.parameters().reduce((sum, { size }) => sum + size, 0)).toBe(countOfAdaptive(sizes));
    expect([...output.namedParameters()].map(([name, { shape }]) => `${name} ${shape.join("×")}`)).toEqual([
      "head.weight 9×16",
      "tail.0.0.weight 4×16",
      "tail.0.1.weight 7×4",
      "tail.1.0.weight 1×16",
      "tail.1.1.weight 7×1",
      "tail.2.0.weight 1×16",
      "tail.2.1.weight 3×1",
    ]);
  });
});
