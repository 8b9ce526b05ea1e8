import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads } from "../engine/index.ts";
import type { Shape } from "../tensor/shape.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { argmax, max, mean, sum } from "./reduce.ts";

const reductions: [Shape, (number | number[])?][] = [
  [[3, 21]],
  [[3, 21], 0],
  [[3, 21], -1],
  [[2, 5, 18], 1],
  [
    [2, 3, 4, 5],
    [0, 2],
  ],
  [
    [2, 3, 4, 5],
    [1, 3],
  ],
  [
    [2, 3, 4, 5],
    [1, 2],
  ],
  [
    [2, 3, 2, 3, 2],
    [4, 0, 2],
  ],
  [[3, 4], []],
  [[1, 1], 0],
  [[]],
  [[0, 3], 1],
];

const cases: OpCase[] = Object.entries({ sum, mean, max }).flatMap(([name, f]) =>
  reductions.map(([shape, axis]) => ({
    name: `${name} of [${shape}] over ${JSON.stringify(axis)}`,
    shapes: { x: shape },
    run: ({ x }) => f(x!, axis),
  })),
);

describe.each(cases)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

describe("shapes", () => {
  it("lose the reduced axes, or keep them with size 1", () => {
    const x = zeros([2, 3, 4]);
    for (const f of [sum, mean, max]) {
      expect(f(x).shape).toEqual([]);
      expect(f(x, [0, -1]).shape).toEqual([3]);
      expect(f(x, [2, 0], { keepDims: true }).shape).toEqual([1, 3, 1]);
    }
    expect(argmax(x, 1).shape).toEqual([2, 4]);
    expect(argmax(x, 1, { keepDims: true }).shape).toEqual([2, 1, 4]);
  });

  it("may be empty where a sum is 0", () => {
    expect([...sum(zeros([0, 3]), 0).toArray()]).toEqual([0, 0, 0]);
    expect(sum(zeros([0])).item()).toBe(0);
  });
});

describe("max", () => {
  const firstWins = () =>
    step(() => {
      const x = tensor([1, 3, 3, 2, 3, 3, 0, 0], [2, 4], { requiresGrad: true });
      const y = sum(max(x, 1));
      y.backward();
      return [...x.grad!.toArray()];
    });

  it("gives the gradient to the first of equals", () => {
    expect(firstWins()).toEqual([0, 1, 0, 0, 1, 0, 0, 0]);
    expect(withReference(firstWins)).toEqual([0, 1, 0, 0, 1, 0, 0, 0]);
  });

  it("takes NaN for the largest, and −∞ as it comes", () => {
    const x = tensor([1, Number.NaN, 5, Number.NaN, -Infinity, -Infinity], [3, 2]);
    const run = (axis: number) => [...max(x, axis).toArray(), ...argmax(x, axis).toArray()];
    for (const results of [[run(0), run(1)], withReference(() => [run(0), run(1)])]) {
      expect(results).toEqual([
        [5, Number.NaN, 1, 0],
        [Number.NaN, Number.NaN, -Infinity, 1, 1, 0],
      ]);
    }
  });
});

describe("argmax", () => {
  it.each<[Shape, number]>([
    [[5, 13], 1],
    [[5, 13], 0],
    [[2, 7, 5], 1],
    [[1], 0],
  ])("of %j over %i agrees with the reference", (shape, axis) => {
    const size = shape.reduce((m, n) => m * n, 1);
    const x = tensor(
      Float32Array.from({ length: size }, (_, i) => Math.round(4 * Math.sin(i))),
      shape,
    );
    const places = () => argmax(x, axis);
    expect(places().dtype).toBe("int32");
    expect(places().toArray()).toEqual(withReference(places).toArray());
  });
});

describe("long sums", () => {
  const n = 300_001;
  const values = Float32Array.from({ length: n }, (_, i) => 1 + Math.sin(i) / 2);
  const exact = values.reduce((total, x) => total + x, 0);

  it("are exact to the last bit or so", () => {
    expect(Math.abs(sum(tensor(values)).item() - exact)).toBeLessThan(1e-7 * exact);
  });

  it("have the same bits on one and on two threads", () => {
    const x = tensor(values.subarray(0, 300_000), [1000, 300]);
    const bits = (threads: number) => {
      setThreads(threads);
      return [sum(x), sum(x, 0), mean(x, 1), max(x, 0)].map((t) => [...t.toArray()]);
    };
    expect(bits(2)).toEqual(bits(1));
  });
});

it("says what does not fit", () => {
  expect(() => sum(zeros([2, 3]), 2)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: sum: axis must be from -2 to 1, got 2]`,
  );
  expect(() => sum(zeros([2, 3]), [1, -1])).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: sum: expected each axis once, got [1, -1]]`,
  );
  expect(() => mean(zeros([0, 3]), 0)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: mean: expected at least one element to reduce, got shape [0, 3]]`,
  );
  expect(() => max(zeros([2, 0]), 1)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: max: expected at least one element to reduce, got shape [2, 0, 1]]`,
  );
  expect(() => argmax(zeros([2, 0]), 1)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: argmax: expected at least one element to reduce, got shape [2, 0]]`,
  );
  expect(() => sum(zeros([2], "int32"))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: sum: x must be float32, got int32]`,
  );
});
