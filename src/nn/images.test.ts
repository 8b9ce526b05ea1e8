import { describe, expect, it } from "vitest";
import {
  Adam,
  BatchNorm2d,
  Conv2d,
  crossEntropy,
  Linear,
  Module,
  manualSeed,
  maxPool2d,
  mean,
  relu,
  step,
  type Tensor,
  tensor,
} from "../index.ts";

/** Images of one bar each, upright or lying, somewhere. */
function bars(count: number, seed: number): { images: Tensor; lying: Tensor } {
  const values = new Float32Array(count * 64);
  const lying = Int32Array.from({ length: count }, (_, n) => n % 2);
  for (let n = 0; n < count; n++) {
    const [row, column] = [(n * 3 + seed) % 6, (n * 5 + 2 * seed) % 6];
    for (let i = 0; i < 3; i++) {
      const [y, x] = lying[n] ? [row + 1, Math.min(column + i, 7)] : [Math.min(row + i, 7), column + 1];
      values[n * 64 + y * 8 + x] = 1;
    }
  }
  return { images: tensor(values, [count, 1, 8, 8]), lying: tensor(lying) };
}

class Small extends Module {
  readonly conv = new Conv2d(1, 8, 3, { padding: 1, bias: false });
  readonly norm = new BatchNorm2d(8);
  readonly output = new Linear(8, 2);

  forward(images: Tensor): Tensor {
    const seen = maxPool2d(relu(this.norm.forward(this.conv.forward(images))), 2);
    return this.output.forward(mean(seen, [2, 3]));
  }
}

describe("a small convolutional network", () => {
  manualSeed(3);
  const model = new Small();

  it("prints", () => {
    expect(String(model)).toMatchInlineSnapshot(`
      "Small(
        (conv): Conv2d(1, 8, 3×3, padding=1×1, bias=false)
        (norm): BatchNorm2d(8)
        (output): Linear(8, 2)
      ), 122 parameters"
    `);
    expect(String(new Conv2d(3, 4, [3, 5], { stride: 2 }))).toMatchInlineSnapshot(
      `"Conv2d(3, 4, 3×5, stride=2×2), 184 parameters"`,
    );
  });

  it("learns, and knows in use what it knew in training", () => {
    const optimizer = new Adam(model.namedParameters(), { learningRate: 0.02 });
    for (let i = 0; i < 150; i++) {
      const { images, lying } = bars(24, i);
      step(() => {
        crossEntropy(model.forward(images), lying).backward();
        optimizer.step();
      });
    }
    model.eval();
    const { images, lying } = bars(36, 7);
    const loss = step(() => crossEntropy(model.forward(images), lying).item());
    expect(loss).toBeLessThan(0.1);
  });

  it("its moving averages are saved with its weights", () => {
    expect([...model.stateDict().keys()]).toContain("norm.running_var");
    const other = new Small().eval();
    other.loadStateDict(model.stateDict());
    const { images } = bars(5, 1);
    expect([...other.forward(images).toArray()]).toEqual([...model.forward(images).toArray()]);
  });
});

it("the moving average of a batch norm goes towards mean and variance, the latter divided by n − 1", () => {
  const norm = new BatchNorm2d(1, { momentum: 0.5 });
  norm.forward(tensor([1, 2, 3, 6], [2, 1, 1, 2]));
  expect(norm.running_mean.item()).toBeCloseTo(1.5, 6);
  expect(norm.running_var.item()).toBeCloseTo(0.5 + 0.5 * (14 / 3), 6);
  expect(norm.running_mean.requiresGrad).toBe(false);
});

it("says what cannot be", () => {
  expect(() => new Conv2d(0, 1, 3)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: Conv2d: inChannels must be a whole number from 1 to 1000000, got 0]`,
  );
  expect(() => new Conv2d(1, 1, 0)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: Conv2d: kernelSize must be a whole number from 1 up, or two, got 0]`,
  );
  expect(() => new BatchNorm2d(4, { momentum: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: BatchNorm2d: momentum must be a number above 0 and at most 1, got 2]`,
  );
});
