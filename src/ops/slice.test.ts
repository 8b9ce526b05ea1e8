import { describe, expect, it } from "vitest";
import { tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../testing/check-op.ts";
import { concat, slice, stack } from "./slice.ts";

const cases: OpCase[] = [
  { name: "slice of the first axis", shapes: { x: [5, 3] }, run: ({ x }) => slice(x!, 0, 1, 4) },
  { name: "slice of a middle axis", shapes: { x: [3, 5, 2] }, run: ({ x }) => slice(x!, 1, 2, 4) },
  { name: "slice of the last axis", shapes: { x: [3, 9] }, run: ({ x }) => slice(x!, -1, 1) },
  { name: "slice from the end", shapes: { x: [6] }, run: ({ x }) => slice(x!, 0, -4, -1) },
  { name: "slice of one", shapes: { x: [4, 3] }, run: ({ x }) => slice(x!, 0, 3, 4) },
  { name: "slice of none", shapes: { x: [4, 3] }, run: ({ x }) => slice(x!, 0, 2, 2) },
  {
    name: "slices that overlap",
    shapes: { x: [7, 5] },
    run: ({ x }) => [slice(x!, 1, 0, 3), slice(x!, 1, 1, 5), slice(x!, 0, 2, 3)],
  },
  {
    name: "concat of the first axis",
    shapes: { a: [2, 3], b: [1, 3] },
    run: ({ a, b }) => concat([a!, b!], 0),
  },
  {
    name: "concat of the last axis",
    shapes: { a: [3, 2, 3], b: [3, 2, 5], c: [3, 2, 1] },
    run: ({ a, b, c }) => concat([a!, b!, c!], -1),
  },
  {
    name: "concat with itself and nothing",
    shapes: { a: [2, 3], b: [2, 0] },
    run: ({ a, b }) => concat([a!, b!, a!], 1),
  },
  { name: "stack in front", shapes: { a: [2, 3], b: [2, 3] }, run: ({ a, b }) => stack([a!, b!], 0) },
  { name: "stack at the end", shapes: { a: [2, 3], b: [2, 3] }, run: ({ a, b }) => stack([a!, b!], -1) },
  { name: "stack of scalars", shapes: { a: [], b: [] }, run: ({ a, b }) => stack([a!, b!], 0) },
];

describe.each(cases)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("moves whole numbers as they are", () => {
  const tokens = tensor(Int32Array.of(1, 2, -3, 2 ** 31 - 1, 5, 6), [2, 3]);
  const cut = slice(tokens, 1, 1, 3);
  expect(cut.dtype).toBe("int32");
  expect([...cut.toArray()]).toEqual([2, -3, 5, 6]);
  expect([...concat([cut, tokens], 1).toArray()]).toEqual([2, -3, 1, 2, -3, 5, 6, 2 ** 31 - 1, 5, 6]);
});

it("copies long rows", () => {
  const x = Float32Array.from({ length: 3000 }, (_, i) => i);
  expect(slice(tensor(x, [2, 1500]), 1, 1, 1499).toArray()).toEqual(
    Float32Array.of(...x.slice(1, 1499), ...x.slice(1501, 2999)),
  );
});

it("says what does not fit", () => {
  const x = zeros([4, 3]);
  expect(() => slice(x, 0, 2, 5)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: slice: expected a range within axis 0 of size 4, got 2 to 5]`,
  );
  expect(() => slice(x, 2, 0, 1)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: slice: axis must be from -2 to 1, got 2]`,
  );
  expect(() => concat([x, zeros([4, 2, 1])], 1)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: concat: tensors must be [4, any], got [4, 2, 1]]`,
  );
  expect(() => concat([x, zeros([3, 3])], 1)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: concat: tensors must be [4, any], got [3, 3]]`,
  );
  expect(() => concat([], 0)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: concat: expected at least one tensor, got none]`,
  );
  expect(() => concat([x, zeros([4, 3], "int32")], 0)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: concat: tensors must all be float32, got int32]`,
  );
  expect(() => stack([x, zeros([3, 4])], 0)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: stack: tensors must be [4, 3], got [3, 4]]`,
  );
});
