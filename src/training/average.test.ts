import { describe, expect, it } from "vitest";
import { freeze } from "../nn/freeze.ts";
import { Module } from "../nn/module.ts";
import { parameter, tensor } from "../tensor/tensor.ts";
import { averagedSince, averageWeights, MovingAverage } from "./average.ts";

class Pair extends Module {
  readonly a = parameter(new Float32Array([1, 2, 3]), [3]);
  readonly b = parameter(new Float32Array([4]), [1]);
}

const values = (model: Pair) => [...model.a.toArray(), ...model.b.toArray()];

describe("MovingAverage", () => {
  it("follows the weights, quickly at first, and lends itself to the model", async () => {
    const model = new Pair();
    const average = new MovingAverage(model, 0.3);
    let expected = values(model);
    for (let n = 1; n <= 30; n++) {
      model.a.set([n, -n, n * n]);
      model.b.set([Math.cos(n)]);
      average.update(n);
      const d = Math.min(0.3, (1 + n) / (10 + n));
      expected = expected.map((x, i) => d * x + (1 - d) * values(model)[i]!);
    }
    const own = values(model);
    const lent = await average.during(() => values(model));
    for (const [i, x] of lent.entries()) expect(x / expected[i]!).toBeCloseTo(1, 5);
    await expect(average.during(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(values(model)).toEqual(own);
  });

  it("of averaged SGD is the plain mean, of the weights that it has seen", () => {
    const model = new Pair();
    const average = new MovingAverage(model, {});
    for (let n = 1; n <= 9; n++) {
      model.a.set([n, n * n, -n]);
      average.update(n);
    }
    const [a, b, c] = average.stateDict().get("a")!.toArray();
    expect(a).toBeCloseTo(5, 5);
    expect(b).toBeCloseTo(285 / 9, 4);
    expect(c).toBeCloseTo(-5, 5);
    expect([...average.stateDict().get("b")!.toArray()]).toEqual([4]);
  });

  it("of weights that stand still comes to be these, however slow", () => {
    const model = new Pair();
    const average = new MovingAverage(model, 0.9999);
    model.a.set([5, 6, 7]);
    for (let n = 1; n <= 100_000; n++) average.update(n);
    for (const [i, x] of average.stateDict().get("a")!.toArray().entries()) {
      expect(x / (5 + i)).toBeCloseTo(1, 5);
    }
  });

  it("goes on where another was, and leaves out what is frozen", () => {
    const model = new Pair();
    freeze(model, ["b"]);
    const [one, two] = [new MovingAverage(model, 0.9), new MovingAverage(model, 0.9)];
    model.a.set([0, 0, 9]);
    one.update(1);
    expect([...one.stateDict().keys()]).toEqual(["a"]);
    two.loadStateDict(one.stateDict());
    one.update(2);
    two.update(2);
    expect(two.stateDict().get("a")!.toArray()).toEqual(one.stateDict().get("a")!.toArray());
    expect(() => two.loadStateDict(new Map([["b", tensor([1])]]))).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: loadStateDict: the state does not fit the average of the weights:
        a is missing
        b is unexpected]
    `);
  });
});

describe("averagedSince", () => {
  const validations = (losses: number[]) => losses.map((loss, i) => ({ step: 10 * (i + 1), loss }));

  it("is the validation that was no better than all but the last n", () => {
    const since = (nonmono: number, losses: number[]) => averagedSince({ nonmono }, validations(losses));
    expect(averagedSince({}, [])).toBe(0);
    expect(since(0, [5, 4, 4.5, 3])).toBe(30);
    expect(since(0, [5, 4, 4])).toBeUndefined();
    expect(since(1, [5, 4, 4.5, 4.2, 3])).toBe(40);
    expect(since(1, [5, 3, 4, 2, 1])).toBeUndefined();
    expect(since(2, [5, 3, 4, 3.5, 3.6, 9])).toBe(50);
    expect(since(5, [5, 6, 7, 8, 9])).toBeUndefined();
    expect(since(5, [5, 6, 7, 8, 9, 6, 6])).toBe(70);
    expect(since(5, [5, 6, 7, 8, 9, 6, 4])).toBeUndefined();
  });
});

describe("averageWeights", () => {
  it("is the mean of each number", () => {
    const states = [
      [1, 2],
      [3, 4],
      [8, 0],
    ].map((a) => new Map([["a", tensor(a)]]));
    expect([...averageWeights(states).get("a")!.toArray()]).toEqual([4, 2]);
  });

  it("refuses weights of different models", () => {
    const state = (shape: number[], name = "a") => new Map([[name, tensor(new Float32Array(6), shape)]]);
    expect(() => averageWeights([])).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: averageWeights: there must be weights to average, got none]`,
    );
    expect(() =>
      averageWeights([state([2, 3]), state([2, 3]), state([3, 2])]),
    ).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: averageWeights: weights 3 do not fit the first:
        a must be [2, 3], got [3, 2]]
    `);
    expect(() => averageWeights([state([6]), state([6], "b")])).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: averageWeights: weights 2 do not fit the first:
        a is missing
        b is unexpected]
    `);
  });
});
