import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads } from "../engine/index.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";

const int = (...values: number[]) => Int32Array.of(...values);

const options: CrossEntropyOptions[] = [
  {},
  { reduction: "sum" },
  { reduction: "none" },
  { ignoreIndex: 0 },
  { ignoreIndex: -1, reduction: "none" },
  { labelSmoothing: 0.1 },
  { labelSmoothing: 1, ignoreIndex: 3, reduction: "sum" },
];

const cases: OpCase[] = options.map((option) => ({
  name: JSON.stringify(option),
  shapes: { logits: [3, 2, 9], targets: [3, 2] },
  values: { targets: int(0, 8, 3, option.ignoreIndex ?? 3, 0, 1) },
  run: ({ logits, targets }) => crossEntropy(logits!, targets!, option),
}));

cases.push(
  {
    name: "one class",
    shapes: { logits: [2, 1], targets: [2] },
    values: { targets: int(0, 0) },
    run: ({ logits, targets }) => crossEntropy(logits!, targets!),
  },
  {
    name: "one row without axes",
    shapes: { logits: [5], targets: [] },
    values: { targets: int(4) },
    run: ({ logits, targets }) => crossEntropy(logits!, targets!, { labelSmoothing: 0.2 }),
  },
  {
    name: "no rows",
    shapes: { logits: [0, 5], targets: [0] },
    values: { targets: int() },
    run: ({ logits, targets }) => crossEntropy(logits!, targets!),
  },
);

describe.each(cases)("crossEntropy $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("keeps its precision over a large vocabulary", () => {
  const classes = 5001;
  const values = Float64Array.from({ length: 3 * classes }, (_, i) =>
    Math.fround((i % classes) / 400 + 3 * Math.sin(i)),
  );
  checkParity({
    name: "large vocabulary",
    shapes: { logits: [3, classes], targets: [3] },
    values: { logits: values, targets: int(0, 4321, 5000) },
    run: ({ logits, targets }) => crossEntropy(logits!, targets!, { labelSmoothing: 0.1, reduction: "none" }),
  });
});

it("starts at ln V for logits that say nothing", () => {
  const loss = crossEntropy(zeros([4, 8000]), zeros([4], "int32")).item();
  expect(loss).toBeCloseTo(Math.log(8000), 6);
});

it("is 0, with gradient 0, when every target is ignored", () => {
  const run = () =>
    step(() => {
      const logits = tensor([1, 2, 3, 4], [2, 2], { requiresGrad: true });
      const loss = crossEntropy(logits, tensor(int(-100, -100)));
      loss.backward();
      return { loss, grad: logits.grad! };
    });
  for (const { loss, grad } of [run(), withReference(run)]) {
    expect(loss.item()).toBe(0);
    expect([...grad.toArray()]).toEqual([0, 0, 0, 0]);
  }
});

it("gives the same bits on one and on two threads", () => {
  const [rows, classes] = [67, 301];
  const values = Float32Array.from({ length: rows * classes }, (_, i) => 3 * Math.sin(i));
  const targets = Int32Array.from({ length: rows }, (_, i) => (i * 31) % classes);
  const bits = (threads: number) => {
    setThreads(threads);
    return step(() => {
      const logits = tensor(values, [rows, classes], { requiresGrad: true });
      const loss = crossEntropy(logits, tensor(targets));
      loss.backward();
      return [...loss.toArray(), ...logits.grad!.toArray()];
    });
  };
  expect(bits(2)).toEqual(bits(1));
});

it("says what does not fit", () => {
  const logits = zeros([2, 65]);
  expect(() => crossEntropy(logits, tensor(int(3, 70)))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: crossEntropy: target 70 is outside the vocabulary of 65]`,
  );
  expect(() => crossEntropy(logits, tensor(int(-100, -1)))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: crossEntropy: target -1 is outside the vocabulary of 65]`,
  );
  expect(() => withReference(() => crossEntropy(zeros([1, 65]), tensor(int(65))))).toThrow("target 65");
  expect(() => crossEntropy(logits, tensor(int(3)))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: crossEntropy: targets must be [2], got [1]]`,
  );
  expect(() => crossEntropy(logits, tensor([1, 2]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: crossEntropy: targets must be int32, got float32]`,
  );
  expect(() => crossEntropy(zeros([2, 0]), tensor(int(0, 0)))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: crossEntropy: logits must be [..., classes], got [2, 0]]`,
  );
  const smooth = { labelSmoothing: 2 };
  expect(() => crossEntropy(logits, tensor(int(0, 0)), smooth)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: crossEntropy: labelSmoothing must be from 0 to 1, got 2]`,
  );
});
