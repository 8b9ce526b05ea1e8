import { describe, expect, it } from "vitest";
import { setThreads } from "../engine/index.ts";
import { tensor } from "../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase, relativeError } from "../testing/check-op.ts";
import { abs, clamp, exp, log, neg, pow, relu, sigmoid, sqrt, square, tanh } from "./pointwise.ts";

const positive = { x: Float64Array.from({ length: 21 }, (_, i) => Math.fround(0.05 + i / 5)) };
const shapes = { x: [3, 7] };

const cases: OpCase[] = [
  { name: "neg", shapes, run: ({ x }) => neg(x!) },
  { name: "exp", shapes, run: ({ x }) => exp(x!) },
  { name: "log", shapes, values: positive, run: ({ x }) => log(x!) },
  { name: "sqrt", shapes, values: positive, run: ({ x }) => sqrt(x!) },
  { name: "abs", shapes, run: ({ x }) => abs(x!) },
  { name: "square", shapes, run: ({ x }) => square(x!) },
  { name: "tanh", shapes, run: ({ x }) => tanh(x!) },
  { name: "sigmoid", shapes, run: ({ x }) => sigmoid(x!) },
  { name: "relu", shapes, run: ({ x }) => relu(x!) },
  { name: "pow 3", shapes, run: ({ x }) => pow(x!, 3) },
  { name: "pow 0", shapes, run: ({ x }) => pow(x!, 0) },
  { name: "pow −2", shapes, values: positive, run: ({ x }) => pow(x!, -2) },
  { name: "pow 2.5", shapes, values: positive, run: ({ x }) => pow(x!, 2.5) },
  { name: "clamp", shapes, run: ({ x }) => clamp(x!, -0.5, 0.75) },
  { name: "clamp below", shapes, run: ({ x }) => clamp(x!, 0.1) },
  { name: "a scalar", shapes: { x: [] }, run: ({ x }) => exp(x!) },
  { name: "nothing", shapes: { x: [0, 3] }, run: ({ x }) => exp(x!) },
];

describe.each(cases)("$name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

describe("over all of float32", () => {
  const functions = { exp: Math.exp, log: Math.log, tanh: Math.tanh };
  const ours = { exp, log, tanh };

  it.each(["exp", "log", "tanh"] as const)("%s is accurate to 4e-7 of each value", (name) => {
    const values = Float32Array.from({ length: 40001 }, (_, i) => {
      if (name === "log") return 2 ** (i / 160 - 125);
      return (i - 20000) / (name === "exp" ? 230 : 2000);
    });
    const got = ours[name](tensor(values)).toArray();
    let worst = 0;
    values.forEach((x, i) => {
      const want = functions[name](x);
      if (want !== 0) worst = Math.max(worst, Math.abs(got[i]! - want) / Math.abs(want));
    });
    expect(worst).toBeLessThan(4e-7);
  });

  it("keeps the limits", () => {
    const at = (f: typeof exp, ...x: number[]) => [...f(tensor(x)).toArray()];
    expect(at(exp, -Infinity, -200, 200, Infinity, Number.NaN)).toEqual([
      0,
      0,
      Infinity,
      Infinity,
      Number.NaN,
    ]);
    expect(at(log, 0, -1, Infinity, Number.NaN)).toEqual([-Infinity, Number.NaN, Infinity, Number.NaN]);
    expect(at(tanh, -Infinity, -90, 90, Infinity, Number.NaN)).toEqual([-1, -1, 1, 1, Number.NaN]);
    expect(at(sigmoid, -Infinity, Infinity, Number.NaN)).toEqual([expect.closeTo(0, 30), 1, Number.NaN]);
    expect(at((x) => pow(x, 0.5), 0, -1, 4)).toEqual([0, Number.NaN, expect.closeTo(2, 6)]);
    expect(at((x) => pow(x, -1), 0, 4)).toEqual([Infinity, 0.25]);
    expect(at(log, 1e-42)[0]).toBeCloseTo(Math.log(Math.fround(1e-42)), 4);
  });
});

it("gives the same bits on one and on two threads, whole or in part", () => {
  const values = Float32Array.from({ length: 50_003 }, (_, i) => Math.sin(i));
  const bits = (threads: number) => {
    setThreads(threads);
    return tanh(tensor(values)).toArray();
  };
  const one = bits(1);
  expect(bits(2)).toEqual(one);
  expect(relativeError(tanh(tensor(values.slice(0, 7))).toArray(), one.slice(0, 7))).toBe(0);
});

it("refuses whole numbers", () => {
  expect(() => tanh(tensor(Int32Array.of(1)))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: tanh: x must be float32, got int32]`,
  );
});
