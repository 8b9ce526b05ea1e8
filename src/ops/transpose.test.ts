import { describe, expect, it } from "vitest";
import { setThreads } from "../engine/index.ts";
import type { Shape } from "../tensor/shape.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { transpose } from "./transpose.ts";

const permutations: [Shape, number[] | undefined][] = [
  [[4, 4], undefined],
  [
    [5, 7],
    [1, 0],
  ],
  [
    [19, 6],
    [1, 0],
  ],
  [
    [1, 5],
    [1, 0],
  ],
  [
    [3, 4, 5],
    [1, 0, 2],
  ],
  [
    [3, 4, 5],
    [0, 2, 1],
  ],
  [
    [3, 4, 5],
    [2, 0, 1],
  ],
  [
    [3, 4, 5],
    [0, 1, 2],
  ],
  [
    [2, 3, 1, 4, 5],
    [3, 1, 4, 2, 0],
  ],
  [
    [2, 3, 2, 3],
    [3, 2, 1, 0],
  ],
  [[6], [0]],
  [[], []],
  [
    [0, 3],
    [1, 0],
  ],
];

const cases: OpCase[] = permutations.map(([shape, permutation]) => ({
  name: `[${shape}] by [${permutation}]`,
  shapes: { x: shape },
  run: ({ x }) => transpose(x!, permutation),
}));

describe.each(cases)("transpose $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test, 0));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("moves whole numbers as they are, on two threads too", () => {
  setThreads(2);
  const values = Int32Array.from({ length: 400 * 310 }, (_, i) => i * 7919);
  const turned = () => transpose(tensor(values, [20, 20, 310]), [2, 0, 1]);
  expect(turned().dtype).toBe("int32");
  expect(turned().toArray()).toEqual(withReference(() => turned().toArray()));
});

it("refuses what is no permutation", () => {
  expect(() => transpose(zeros([2, 3]), [0, 0])).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: transpose: permutation must hold each axis from 0 to 1 once, got [0, 0]]`,
  );
  expect(() => transpose(zeros([2, 3]), [0, 1, 2])).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: transpose: permutation must hold each axis from 0 to 1 once, got [0, 1, 2]]`,
  );
});
