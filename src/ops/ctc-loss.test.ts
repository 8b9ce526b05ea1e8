import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads } from "../engine/index.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase, relativeError } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { type CtcLossOptions, ctcLoss } from "./ctc-loss.ts";
import { logSumExp } from "./softmax.reference.ts";

const int = (...values: number[]) => Int32Array.of(...values);

/** Five sequences: repeated labels, one that just fits, an empty target, one frame, a single label. */
const mixed = {
  shapes: { logits: [9, 5, 6], targets: [5, 5], inputLengths: [5], targetLengths: [5] },
  values: {
    targets: int(1, 1, 2, 2, 2, 3, 3, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 4, 0, 0, 0, 0),
    inputLengths: int(9, 4, 7, 1, 9),
    targetLengths: int(5, 3, 0, 1, 1),
  },
};

const options: CtcLossOptions[] = [{}, { reduction: "sum" }, { reduction: "none" }];
const cases: OpCase[] = options.map((option) => ({
  ...mixed,
  name: JSON.stringify(option),
  run: ({ logits, targets, inputLengths, targetLengths }) =>
    ctcLoss(logits!, targets!, inputLengths!, targetLengths!, option),
}));

cases.push({
  name: "another blank, and one target that does not fit",
  shapes: mixed.shapes,
  values: {
    targets: int(1, 1, 2, 2, 2, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0),
    inputLengths: int(7, 9, 7, 0, 0),
    targetLengths: int(5, 4, 0, 0, 1),
  },
  run: ({ logits, targets, inputLengths, targetLengths }) =>
    ctcLoss(logits!, targets!, inputLengths!, targetLengths!, {
      blank: 5,
      zeroInfinity: true,
      reduction: "none",
    }),
});

describe.each(cases)("ctcLoss $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

/** −ln P by the definition: the sum over every path of T classes that becomes the labelling when collapsed. */
function enumerate(logits: Float64Array, T: number, V: number, labels: number[]): number {
  const y = Array.from({ length: T }, (_, t) => {
    const row = logits.subarray(t * V, (t + 1) * V);
    const total = logSumExp(row);
    return row.map((x) => x - total);
  });
  let sum = 0;
  for (let code = 0; code < V ** T; code++) {
    const path = Array.from({ length: T }, (_, t) => Math.floor(code / V ** t) % V);
    const collapsed = path.filter((k, t) => k !== 0 && k !== path[t - 1]);
    if (collapsed.join() !== labels.join()) continue;
    sum += Math.exp(path.reduce((total, k, t) => total + y[t]![k]!, 0));
  }
  return -Math.log(sum);
}

describe("is the sum over all paths", () => {
  const [T, V] = [6, 3];
  const logits = Float64Array.from({ length: T * V }, (_, i) => Math.fround(2 * Math.sin(3 * i + 1)));
  it.each([[[]], [[1]], [[1, 2]], [[1, 1]], [[2, 2, 1]], [[1, 2, 1, 2, 1]], [[1, 1, 1, 2]], [[1, 1, 1, 1]]])(
    "of labels %j",
    (labels) => {
      const expected = enumerate(logits, T, V, labels);
      const loss = () =>
        ctcLoss(
          tensor(logits, [T, 1, V]),
          tensor(int(...labels, 0), [1, labels.length + 1]),
          tensor(int(T)),
          tensor(int(labels.length)),
          { reduction: "sum" },
        ).item();
      const reference = withReference(loss);
      if (expected === Number.POSITIVE_INFINITY) expect(reference).toBe(expected);
      else expect(Math.abs(reference - expected)).toBeLessThan(1e-9);
      expect(relativeError([loss()], [expected])).toBeLessThan(1e-6);
    },
  );
});

/** Loss and gradient of a batch of the sequences, in frames and labels of some size; beyond each stands `rubbish`. */
function compute(order: number[], T: number, L: number, rubbish = Number.NaN) {
  const V = 7;
  const N = order.length;
  const lengths = order.map((n) => [23 - 5 * n, [9, 4, 0, 3][n]!] as const);
  const logits = new Float32Array(T * N * V).fill(rubbish);
  const targets = new Int32Array(N * L).fill(-1);
  order.forEach((n, place) => {
    const [frames, labels] = lengths[place]!;
    for (let t = 0; t < frames; t++) {
      for (let v = 0; v < V; v++) logits[(t * N + place) * V + v] = 4 * Math.sin(31 * n + 7 * t * t + 3 * v);
    }
    for (let i = 0; i < labels; i++) targets[place * L + i] = 1 + ((i * i + n) % (V - 1));
  });
  return step(() => {
    const x = tensor(logits, [T, N, V], { requiresGrad: true });
    const [frames, labels] = [0, 1].map((i) => tensor(Int32Array.from(lengths, (pair) => pair[i]!)));
    const loss = ctcLoss(x, tensor(targets, [N, L]), frames!, labels!, { reduction: "none" });
    loss.storage.scope!.backwardFrom([{ storage: loss.storage, grad: new Float32Array(N).fill(1) }]);
    const grad = x.grad!.toArray();
    const losses = loss.toArray();
    return order.map((_, n) => ({
      loss: losses[n],
      grad: Array.from({ length: T * V }, (_, i) => grad[(Math.floor(i / V) * N + n) * V + (i % V)]),
      length: lengths[n]![0] * V,
    }));
  });
}

it("depends on nothing but the sequence itself: not on padding, batch or threads", () => {
  const expected = compute([0, 1, 2, 3], 23, 9);
  for (const { grad, length } of expected) {
    expect(grad.slice(0, length).every(Number.isFinite)).toBe(true);
    expect(grad.slice(length).every((value) => value === 0)).toBe(true);
  }
  const check = (order: number[], T: number, L: number, rubbish?: number) =>
    compute(order, T, L, rubbish).forEach(({ loss, grad, length }, place) => {
      const other = expected[order[place]!]!;
      expect(loss).toBe(other.loss);
      expect(grad.slice(0, length)).toEqual(other.grad.slice(0, length));
    });
  check([3, 1, 0, 2], 40, 17, 1e30);
  check([1], 18, 4);
  for (const threads of [1, 2]) {
    setThreads(threads);
    check([0, 1, 2, 3], 23, 9, 0);
  }
});

it("keeps its precision over a long sequence of a certain network", () => {
  const [T, V, L] = [600, 5, 150];
  checkParity({
    name: "long",
    shapes: { logits: [T, 1, V], targets: [1, L], inputLengths: [1], targetLengths: [1] },
    values: {
      logits: Float64Array.from({ length: T * V }, (_, i) => Math.fround(60 * Math.sin(i * i))),
      targets: Int32Array.from({ length: L }, (_, i) => 1 + ((i * i) % 4)),
      inputLengths: int(T),
      targetLengths: int(L),
    },
    run: ({ logits, targets, inputLengths, targetLengths }) =>
      ctcLoss(logits!, targets!, inputLengths!, targetLengths!),
  });
});

it("is infinite where a target does not fit, and NaN where a logit is", () => {
  const run = (x: number[], labels: number, zeroInfinity: boolean) =>
    step(() => {
      const logits = tensor(x, [2, 1, 3], { requiresGrad: true });
      const loss = ctcLoss(logits, tensor(int(1, 1), [1, 2]), tensor(int(2)), tensor(int(labels)), {
        zeroInfinity,
      });
      loss.backward();
      return [loss.item(), ...logits.grad!.toArray()];
    });
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
  for (const backend of [<T>(f: () => T) => f(), withReference]) {
    expect(backend(() => run([1, 2, 3, 4, 5, 6], 2, false))).toEqual([
      infinity,
      nan,
      nan,
      nan,
      nan,
      nan,
      nan,
    ]);
    expect(backend(() => run([1, 2, 3, 4, 5, 6], 2, true))).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(backend(() => run([1, nan, 3, 4, 5, 6], 1, true))[0]).toBeNaN();
    expect(backend(() => run([-infinity, -infinity, -infinity, 4, 5, 6], 1, true))[0]).toBeNaN();
  }
});

it("sees a class that is ruled out", () => {
  const logits = tensor([0, Number.NEGATIVE_INFINITY, 0, 0, 0, 0], [2, 1, 3]);
  const loss = (label: number) =>
    ctcLoss(logits, tensor(int(label), [1, 1]), tensor(int(2)), tensor(int(1))).item();
  expect(loss(1)).toBeCloseTo(-Math.log(1 / 6), 6); // blank, then 1
  expect(loss(2)).toBeCloseTo(-Math.log(3 / 6), 6);
});

it("says what does not fit", () => {
  const logits = zeros([4, 2, 5]);
  const call = (targets: Int32Array, frames = int(4, 4), labels = int(2, 1), options: CtcLossOptions = {}) =>
    ctcLoss(logits, tensor(targets, [2, 2]), tensor(frames), tensor(labels), options);
  expect(() => call(int(1, 5, 2, 0))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: ctcLoss: target 5 of sequence 0 is outside the 5 classes]`,
  );
  expect(() => call(int(1, 2, 0, 0))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: ctcLoss: target 0 of sequence 1 is the blank]`,
  );
  expect(() => withReference(() => call(int(1, 2, 0, 0)))).toThrow("target 0 of sequence 1 is the blank");
  expect(() => call(int(1, 2, 3, 4), int(4, 5))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: ctcLoss: inputLengths must be from 0 to 4, got 5 for sequence 1]`,
  );
  expect(() => call(int(1, 2, 3, 4), int(4, 4), int(3, 1))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: ctcLoss: targetLengths must be from 0 to 2, got 3 for sequence 0]`,
  );
  expect(() => call(int(1, 2, 3, 4), int(4))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: ctcLoss: inputLengths must be [2], got [1]]`,
  );
  expect(() => call(int(1, 2, 3, 4), int(4, 4), int(2, 1), { blank: 5 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: ctcLoss: blank must be one of the 5 classes, from 0 to 4, got 5]`,
  );
  expect(() =>
    ctcLoss(zeros([4, 2]), tensor(int(1)), tensor(int(1)), tensor(int(1))),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: ctcLoss: logits must be [time, batch, classes], got [4, 2]]`,
  );
  expect(() =>
    ctcLoss(logits, tensor(int(1)), tensor(int(1)), tensor(int(1))),
  ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: ctcLoss: targets must be [2, labels], got [1]]`);
  expect(() =>
    ctcLoss(logits, zeros([2, 2]), tensor(int(1)), tensor(int(1))),
  ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: ctcLoss: targets must be int32, got float32]`);
  const options = { reduction: "max" } as unknown as CtcLossOptions;
  expect(() => call(int(1, 2, 3, 4), int(4, 4), int(2, 1), options)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: ctcLoss: reduction must be mean, sum or none, got max]`,
  );
});
