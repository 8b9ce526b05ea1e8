import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { Generator } from "../tensor/random.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkParity, expectClose, type OpCase } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import {
  type ExpectedTranscriptionLossOptions,
  expectedTranscriptionLoss,
} from "./expected-transcription-loss.ts";

const int = (...values: number[]) => Int32Array.of(...values);
const random = new Generator(3);
const uniform = (count: number) => Float64Array.from({ length: count }, () => random.uniform());

/** Of word 3 is the separator, at the ends and twice too; one sequence has no labels, one no frames. */
const mixed = {
  shapes: {
    logits: [12, 5, 6],
    targets: [5, 7],
    inputLengths: [5],
    targetLengths: [5],
    uniform: [12, 5, 40],
  },
  values: {
    targets: int(
      ...[1, 2, 3, 2, 1, 3, 3],
      ...[3, 1, 1, 3, 3, 4, 3],
      ...[0, 0, 0, 0, 0, 0, 0],
      ...[4, 3, 2, 0, 0, 0, 0],
      ...[5, 3, 5, 3, 1, 2, 5],
    ),
    inputLengths: int(12, 10, 7, 0, 1),
    targetLengths: int(5, 7, 0, 3, 7),
    uniform: uniform(12 * 5 * 40),
  },
};

const options: ExpectedTranscriptionLossOptions[] = [
  {},
  { unit: "word", separator: 3 },
  { blank: 0, unit: "word", separator: 5 },
];
const cases: OpCase[] = options.map((option) => ({
  ...mixed,
  name: JSON.stringify(option),
  run: ({ logits, targets, inputLengths, targetLengths, uniform }) =>
    expectedTranscriptionLoss(logits!, targets!, inputLengths!, targetLengths!, uniform!, option),
}));

cases.push({
  ...cases[0]!,
  name: "of one word, as there is no separator",
  values: { ...mixed.values, inputLengths: int(3, 4, 2, 0, 1), targetLengths: int(1, 2, 0, 1, 1) },
  run: ({ logits, targets, inputLengths, targetLengths, uniform }) =>
    expectedTranscriptionLoss(logits!, targets!, inputLengths!, targetLengths!, uniform!, { unit: "word" }),
});

describe.each(cases)("expectedTranscriptionLoss $name", (test) => {
  it("agrees with the reference, which counts the errors of every path anew", () => checkParity(test));
});

describe("is on average, over all that may be drawn, the loss by its definition and its gradient", () => {
  const [T, V] = [4, 3];
  const logits = Float64Array.from({ length: T * V }, (_, i) => 1.5 * Math.sin(3 * i + 1));
  const probsOf = (x: Float64Array) =>
    Array.from({ length: T }, (_, t) => {
      const row = [...x.subarray(t * V, (t + 1) * V)].map(Math.exp);
      return row.map((e) => e / row.reduce((a, b) => a + b));
    });
  const paths = Array.from({ length: V ** T }, (_, code) =>
    Array.from({ length: T }, (_, t) => Math.floor(code / V ** t) % V),
  );
  const weightOf = (path: number[], y: number[][]) => path.reduce((p, k, t) => p * y[t]![k]!, 1);
  /** Loss and gradient where one path is drawn: by numbers in the middle of what falls on its labels. */
  const drawn = (path: number[], option: ExpectedTranscriptionLossOptions, labels: number[]) => {
    const y = probsOf(logits);
    const u = path.map((k, t) => y[t]!.slice(0, k).reduce((a, b) => a + b, 0) + y[t]![k]! / 2);
    return step(() => {
      const x = tensor(logits, [T, 1, V], { requiresGrad: true });
      const target = tensor(int(...labels), [1, labels.length]);
      const [frames, count] = [tensor(int(T)), tensor(int(labels.length))];
      const loss = expectedTranscriptionLoss(x, target, frames, count, tensor(u, [T, 1, 1]), option);
      loss.backward();
      return { loss: loss.item(), gradient: [...x.grad!.toArray()] };
    });
  };

  it.each([
    [[1, 2], {}],
    [[1, 1], {}],
    [[2, 1, 2], { unit: "word", separator: 1 }],
    [[2, 2], { unit: "word", separator: 1 }],
  ] as const)("of %j, %j", (labels, option) => {
    withReference(() => {
      const each = paths.map((path) => drawn(path, option, [...labels]));
      const expectation = (x: Float64Array) => {
        const y = probsOf(x);
        return paths.reduce((sum, path, i) => sum + weightOf(path, y) * each[i]!.loss, 0);
      };
      const y = probsOf(logits);
      const gradient = Array.from(logits, (_, i) =>
        paths.reduce((sum, path, p) => sum + weightOf(path, y) * each[p]!.gradient[i]!, 0),
      );
      const numeric = Array.from(logits, (_, i) => {
        const moved = (by: number) => logits.map((x, j) => (i === j ? x + by : x));
        return (expectation(moved(1e-6)) - expectation(moved(-1e-6))) / 2e-6;
      });
      expectClose("gradient", gradient, numeric, 1e-8);
      // Drawn by chance, many samples come to the same.
      const S = 20_000;
      const u = Float64Array.from({ length: T * S }, () => random.uniform());
      const one = { x: tensor(logits, [T, 1, V]), target: tensor(int(...labels), [1, labels.length]) };
      const [frames, count] = [tensor(int(T)), tensor(int(labels.length))];
      const sampled = expectedTranscriptionLoss(
        one.x,
        one.target,
        frames,
        count,
        tensor(u, [T, 1, S]),
        option,
      );
      expect(Math.abs(sampled.item() - expectation(logits))).toBeLessThan(4 / Math.sqrt(S));
    });
  });
});

it("is NaN where a logit is, and reads nothing beyond a sequence's end", () => {
  const run = (x: number[], frames: number) =>
    step(() => {
      const logits = tensor(x, [2, 1, 3], { requiresGrad: true });
      const [target, lengths] = [tensor(int(1), [1, 1]), tensor(int(frames))];
      const loss = expectedTranscriptionLoss(logits, target, lengths, tensor(int(1)), zeros([2, 1, 1]));
      loss.backward();
      return [loss.item(), ...logits.grad!.toArray().subarray(0, 3)];
    });
  const { NaN: nan } = Number;
  expect(run([0, nan, 0, 0, 0, 0], 1)[0]).toBeNaN();
  expect(run([0, 0, 0, nan, nan, nan], 1)).toEqual(run([0, 0, 0, 9, 9, 9], 1));
});

it("says what does not fit", () => {
  const call = (shape: number[], target: number, option: ExpectedTranscriptionLossOptions = {}) =>
    expectedTranscriptionLoss(
      zeros([2, 1, 3]),
      tensor(int(target), [1, 1]),
      tensor(int(2)),
      tensor(int(1)),
      zeros(shape),
      option,
    );
  expect(() => call([2, 1, 0], 1)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: expectedTranscriptionLoss: uniform must be [2, 1, samples], got [2, 1, 0]]`,
  );
  expect(() => call([2, 1, 4], 0)).toThrowErrorMatchingInlineSnapshot(
    `[DataError: expectedTranscriptionLoss: target 0 of sequence 0 is the blank]`,
  );
  expect(() => call([2, 1, 4], 1, { separator: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: expectedTranscriptionLoss: separator must be one of the 3 classes and not the blank, got 0]`,
  );
  expect(() => call([2, 1, 4], 1, { blank: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: expectedTranscriptionLoss: blank must be one of the 3 classes, from 0 to 2, got 3]`,
  );
  const wrong = { unit: "char" } as unknown as ExpectedTranscriptionLossOptions;
  expect(() => call([2, 1, 4], 1, wrong)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: expectedTranscriptionLoss: unit must be label or word, got char]`,
  );
});
