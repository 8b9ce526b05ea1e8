import { afterEach, describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads } from "../engine/index.ts";
import { manualSeed, randomState } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { type DropoutOptions, dropout } from "./dropout.ts";
import { concat, slice } from "./slice.ts";

afterEach(() => manualSeed(0));

const options: [Shape, number, Partial<DropoutOptions>][] = [
  [[3, 2, 37], 0.5, {}],
  [[3, 2, 16], 0.1, { stream: 0xfedcba98 }],
  [[2, 2, 3, 5], 0.3, { variational: true }],
  [[2, 2, 5], 0.3, { tOffset: 7, rowOffset: 3 }],
  [[4, 21], 0.5, {}],
  [[21], 0.5, {}],
  [[], 0.5, {}],
  [[0, 3, 4], 0.5, {}],
];

const cases: OpCase[] = options.map(([shape, p, more]) => ({
  name: `dropout ${p} of [${shape}] ${JSON.stringify(more)}`,
  shapes: { x: shape },
  run: ({ x }) => dropout(x!, p, { stream: 1, ...more }),
}));

describe.each(cases)("$name", (test) => {
  it("drops what the float64 reference drops", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

/** Which elements stay, of ones. */
function mask(shape: Shape, p = 0.5, more: Partial<DropoutOptions> = {}): number[] {
  const ones = zeros(shape);
  ones.set(new Float32Array(ones.size).fill(1));
  return [...dropout(ones, p, { stream: 1, ...more }).toArray()];
}

describe("the mask", () => {
  it("drops the part it is told to, and keeps the mean", () => {
    for (const p of [0.1, 0.5, 0.9]) {
      const values = mask([20, 20, 256], p);
      const n = values.length;
      const dropped = values.filter((x) => x === 0).length / n;
      expect(Math.abs(dropped - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
      expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / (1 - p))]));
    }
  });

  it("differs by seed, stream and step, and returns with them", () => {
    const first = mask([4, 50]);
    expect(mask([4, 50])).toEqual(first);
    expect(mask([4, 50], 0.5, { stream: 2 })).not.toEqual(first);
    randomState.step++;
    expect(mask([4, 50])).not.toEqual(first);
    manualSeed(2 ** 40);
    expect(mask([4, 50])).not.toEqual(first);
    manualSeed(0);
    expect(mask([4, 50])).toEqual(first);
  });

  it("moves on with each backward, and not with forwards", () => {
    const x = tensor([1, 2, 3], undefined, { requiresGrad: true });
    step(() => {
      const y = dropout(x, 0.5, { stream: 1 });
      y.storage.scope!.backwardFrom([{ storage: y.storage, grad: [1, 1, 1] }]);
    });
    expect(randomState.step).toBe(1);
  });

  it("does not depend on how the sequence or the batch is cut", () => {
    const x = tensor(
      Float32Array.from({ length: 6 * 4 * 19 }, (_, i) => i + 1),
      [6, 4, 19],
    );
    const drop = (part: typeof x, more = {}) => dropout(part, 0.4, { stream: 3, ...more });
    const whole = drop(x).toArray();
    const inTime = [drop(slice(x, 0, 0, 2)), drop(slice(x, 0, 2, 6), { tOffset: 2 })];
    expect(concat(inTime, 0).toArray()).toEqual(whole);
    const inBatch = [drop(slice(x, 1, 0, 3)), drop(slice(x, 1, 3, 4), { rowOffset: 3 })];
    expect(concat(inBatch, 1).toArray()).toEqual(whole);
  });

  it("is the same at every time step where it is variational", () => {
    const values = mask([3, 2, 40], 0.5, { variational: true });
    expect(values.slice(80, 160)).toEqual(values.slice(0, 80));
    expect(values.slice(40, 80)).not.toEqual(values.slice(0, 40));
  });

  it("has the same bits on one and on two threads", () => {
    setThreads(1);
    const one = mask([5, 51, 130]);
    setThreads(2);
    expect(mask([5, 51, 130])).toEqual(one);
  });
});

it("returns x itself where there is nothing to drop", () => {
  const x = tensor([1, 2]);
  expect(dropout(x, 0, { stream: 1 })).toBe(x);
  expect(dropout(x, 0.5, { stream: 1, training: false })).toBe(x);
});

it("refuses a probability that leaves nothing", () => {
  expect(() => dropout(tensor([1]), 1, { stream: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: dropout: p must be from 0 to below 1, got 1]`,
  );
  expect(() => dropout(tensor([1]), Number.NaN, { stream: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: dropout: p must be from 0 to below 1, got NaN]`,
  );
});
