import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads } from "../engine/index.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase, runCase } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { embedding, gather } from "./gather.ts";
import { reverseSequences } from "./reverse-sequences.ts";

const int = (...values: number[]) => Int32Array.of(...values);

const cases: OpCase[] = [
  {
    name: "gather of the first axis",
    shapes: { x: [5, 3], indices: [4] },
    values: { indices: int(4, 0, 4, 2) },
    run: ({ x, indices }) => gather(x!, indices!, 0),
  },
  {
    name: "gather of a middle axis, indices in two axes",
    shapes: { x: [2, 4, 3], indices: [2, 3] },
    values: { indices: int(3, 0, 3, 3, 1, 0) },
    run: ({ x, indices }) => gather(x!, indices!, 1),
  },
  {
    name: "gather of the last axis",
    shapes: { x: [3, 6], indices: [2] },
    values: { indices: int(5, 5) },
    run: ({ x, indices }) => gather(x!, indices!, -1),
  },
  {
    name: "gather with one index takes the axis away",
    shapes: { x: [3, 2], indices: [] },
    values: { indices: int(2) },
    run: ({ x, indices }) => gather(x!, indices!, 0),
  },
  {
    name: "gather of nothing",
    shapes: { x: [0, 2], indices: [0] },
    values: { indices: int() },
    run: ({ x, indices }) => gather(x!, indices!, 0),
  },
  {
    name: "embedding",
    shapes: { tokens: [3, 2], weight: [6, 5] },
    values: { tokens: int(0, 5, 3, 3, 0, 3) },
    run: ({ tokens, weight }) => embedding(tokens!, weight!),
  },
  {
    name: "embedding of size 1",
    shapes: { tokens: [4], weight: [1, 1] },
    values: { tokens: int(0, 0, 0, 0) },
    run: ({ tokens, weight }) => embedding(tokens!, weight!),
  },
  {
    name: "reverseSequences",
    shapes: { x: [4, 3, 2] },
    run: ({ x }) => reverseSequences(x!),
  },
  {
    name: "reverseSequences within lengths",
    shapes: { x: [4, 4, 3], lengths: [4] },
    values: { lengths: int(2, 4, 0, 1) },
    run: ({ x, lengths }) => reverseSequences(x!, lengths!),
  },
  {
    name: "reverseSequences of no time",
    shapes: { x: [0, 2, 3], lengths: [2] },
    values: { lengths: int(0, 0) },
    run: ({ x, lengths }) => reverseSequences(x!, lengths!),
  },
];

describe.each(cases)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("moves whole numbers as they are", () => {
  const x = tensor(int(1, 2, 3, 2 ** 31 - 1), [2, 2]);
  expect([...gather(x, tensor(int(1, 0)), 0).toArray()]).toEqual([3, 2 ** 31 - 1, 1, 2]);
  expect([...reverseSequences(x).toArray()]).toEqual([3, 2 ** 31 - 1, 1, 2]);
});

it("never reads the padding, whatever it holds", () => {
  const x = tensor([1, Number.NaN, 2, Number.NaN, Number.NaN, Number.NaN], [3, 2]);
  expect([...reverseSequences(x, tensor(int(2, 0))).toArray()]).toEqual([2, 0, 1, 0, 0, 0]);
});

it("leaves the padding token of an embedding without gradient", () => {
  const test: OpCase = {
    name: "embedding with padding",
    shapes: { tokens: [5], weight: [4, 3] },
    values: { tokens: int(2, 0, 2, 1, 3) },
    run: ({ tokens, weight }) => embedding(tokens!, weight!, { paddingIdx: 2 }),
  };
  checkParity(test);
  const { grads } = runCase(test);
  expect(grads.weight!.slice(6, 9)).toEqual([0, 0, 0]);
  expect(grads.weight!.filter((x) => x === 0)).toHaveLength(3);
});

it("sums the gradient of an embedding to the same bits on one and on two threads", () => {
  const [vocabulary, size, count] = [50, 70, 4000];
  const tokens = Int32Array.from({ length: count }, (_, i) => (i * i) % vocabulary);
  const weight = Float32Array.from({ length: vocabulary * size }, (_, i) => Math.sin(i));
  const gradient = (threads: number) => {
    setThreads(threads);
    return step(() => {
      const w = tensor(weight, [vocabulary, size], { requiresGrad: true });
      const y = embedding(tensor(tokens), w);
      y.storage.scope!.backwardFrom([
        { storage: y.storage, grad: Float32Array.from({ length: y.size }, Math.cos) },
      ]);
      return w.grad!.toArray();
    });
  };
  expect(gradient(2)).toEqual(gradient(1));
});

describe("messages", () => {
  it("name the index and its limit, on kernels and reference alike", () => {
    const lookup = (token: number) => () => embedding(tensor(int(3, 0, 1, 2, token)), zeros([65, 4]));
    expect(lookup(70)).toThrowErrorMatchingInlineSnapshot(
      `[DataError: embedding: token 70 is outside the vocabulary of 65]`,
    );
    expect(lookup(-1)).toThrowErrorMatchingInlineSnapshot(
      `[DataError: embedding: token -1 is outside the vocabulary of 65]`,
    );
    expect(() => withReference(lookup(65))).toThrowErrorMatchingInlineSnapshot(
      `[DataError: embedding: token 65 is outside the vocabulary of 65]`,
    );
    expect(() => embedding(tensor(int(0)), zeros([0, 4]))).toThrowErrorMatchingInlineSnapshot(
      `[DataError: embedding: token 0 is outside the vocabulary of 0]`,
    );
    expect(() => gather(zeros([2, 3]), tensor(int(3)), 1)).toThrowErrorMatchingInlineSnapshot(
      `[DataError: gather: index 3 is outside axis 1 of size 3]`,
    );
    expect(() => reverseSequences(zeros([2, 1, 3]), tensor(int(3)))).toThrowErrorMatchingInlineSnapshot(
      `[DataError: reverseSequences: lengths must be from 0 to 2, got 3]`,
    );
  });

  it("name shapes and dtypes that do not fit", () => {
    expect(() => embedding(tensor([1]), zeros([65, 4]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: embedding: tokens must be int32, got float32]`,
    );
    expect(() => embedding(tensor(int(1)), zeros([65]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: embedding: weight must be [vocabulary, size], got [65]]`,
    );
    expect(() => reverseSequences(zeros([4]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: reverseSequences: x must be [time, batch, ...], got [4]]`,
    );
    expect(() => reverseSequences(zeros([4, 2]), tensor(int(1)))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: reverseSequences: lengths must be [2], got [1]]`,
    );
  });
});
