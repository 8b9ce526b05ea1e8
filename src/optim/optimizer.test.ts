import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { currentScope, step } from "../autograd/step.ts";
import { setThreads } from "../engine/engine.ts";
import { readSafetensors, writeSafetensors } from "../io/safetensors.ts";
import { parameter, type Tensor, tensor } from "../tensor/tensor.ts";
import { relativeError } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { Adagrad } from "./adagrad.ts";
import { Adam, AdamW } from "./adam.ts";
import { clipGradNorm, clipGradValue } from "./clip.ts";
import type { Optimizer, OptimizerOptions } from "./optimizer.ts";
import { RMSProp } from "./rmsprop.ts";
import { SGD } from "./sgd.ts";

interface Case {
  optimizer: keyof typeof make;
  options: Record<string, unknown>;
  clip: number | null;
  parameters: number[][][];
}

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/optimizers.json", import.meta.url), "utf8"),
) as { shapes: number[][]; cases: Case[] };

const make = { SGD, Adagrad, RMSProp, Adam, AdamW };

/** PyTorch's names of the options to ours. */
const optionNames: Record<string, string> = {
  weight_decay: "weightDecay",
  lr_decay: "learningRateDecay",
  eps: "epsilon",
};

function optionsOf({ options }: Case): OptimizerOptions {
  const renamed = Object.entries(options).map(([name, value]) => [optionNames[name] ?? name, value]);
  return { learningRate: 0.05, ...Object.fromEntries(renamed) };
}

function setGradient(p: Tensor, values: ArrayLike<number>): void {
  step(() => currentScope()!.backwardFrom([{ storage: p.storage, grad: values }]));
}

const start = () =>
  golden.shapes.map((shape, k) => {
    const size = shape.reduce((a, b) => a * b);
    return parameter(
      Float64Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + k)),
      shape,
    );
  });

/** One step with the gradients of test/golden/optimizers.py. */
function advance(parameters: Tensor[], optimizer: Optimizer, time: number, clip: number | null): void {
  for (const p of parameters) {
    const gradient = [...p.toArray()].map((x, i) => Math.cos(2 * x + 0.3 * time) + 0.1 * x * i);
    setGradient(p, gradient);
  }
  if (clip !== null) clipGradNorm(parameters, clip);
  optimizer.step();
}

function trajectory(test: Case): number[][][] {
  const parameters = start();
  const optimizer = new make[test.optimizer](parameters, optionsOf(test));
  const stored: number[][][] = [];
  for (let time = 0; time < 20; time++) {
    advance(parameters, optimizer, time, test.clip);
    if (time % 5 === 4) stored.push(parameters.map((p) => [...p.toArray()]));
  }
  return stored;
}

const named = golden.cases.map((test) => ({
  ...test,
  name: `${test.optimizer} ${JSON.stringify(test.options)}${test.clip ? `, clipped to ${test.clip}` : ""}`,
}));

describe.each(named)("$name", (test) => {
  it("follows PyTorch for 20 steps", () => {
    const expected = test.parameters.flat(2);
    expect(relativeError(withReference(() => trajectory(test)).flat(2), expected)).toBeLessThan(1e-9);
    expect(relativeError(trajectory(test).flat(2), expected)).toBeLessThan(1e-5);
  });

  it("goes on from a saved state with the same bits", () => {
    const straight = start();
    const first = new make[test.optimizer](straight, optionsOf(test));
    for (let time = 0; time < 3; time++) advance(straight, first, time, test.clip);
    const file = writeSafetensors(first.stateDict());
    const copies = straight.map((p) => parameter(p.toArray(), p.shape));
    const second = new make[test.optimizer](copies, optionsOf(test));
    second.loadStateDict(readSafetensors(file).tensors);
    for (let time = 3; time < 6; time++) {
      advance(straight, first, time, test.clip);
      advance(copies, second, time, test.clip);
    }
    expect(copies.map((p) => p.toArray())).toEqual(straight.map((p) => p.toArray()));
  });
});

const simple = () => parameter(new Float32Array([1, 2, 3, 4, 5]), [5]);

describe("an optimizer", () => {
  it("zeroes the gradients it used, and adds up those of several backward passes", () => {
    const p = simple();
    const sgd = new SGD([p], { learningRate: 1 });
    setGradient(p, [1, 1, 1, 1, 1]);
    sgd.step();
    expect([...p.grad!.toArray()]).toEqual([0, 0, 0, 0, 0]);
    sgd.step();
    expect([...p.toArray()]).toEqual([0, 1, 2, 3, 4]);
  });

  it("leaves alone what has no gradient or requires none", () => {
    const [a, b, c] = [simple(), simple(), simple()];
    const adam = new AdamW([a, b, c], { learningRate: 1 });
    for (const p of [b, c]) setGradient(p, [1, 1, 1, 1, 1]);
    c.requiresGrad = false;
    adam.step();
    expect([...a.toArray()]).toEqual([1, 2, 3, 4, 5]);
    expect([...b.toArray()]).not.toEqual([1, 2, 3, 4, 5]);
    expect([...c.toArray()]).toEqual([1, 2, 3, 4, 5]);
    expect([...adam.stateDict().keys()]).toEqual(["1.step", "1.exp_avg", "1.exp_avg_sq"]);
    setGradient(b, [1, 1, 1, 1, 1]);
    adam.zeroGrad();
    expect(b.grad).toBeUndefined();
  });

  it("takes names, and groups with options of their own", () => {
    const p = simple();
    const optimizer = new SGD(new Map([["output.bias", p]]), { learningRate: 1, momentum: 0.5 });
    setGradient(p, [1, 1, 1, 1, 1]);
    optimizer.step();
    expect([...optimizer.stateDict().keys()]).toEqual(["output.bias.step", "output.bias.momentum_buffer"]);

    const [slow, fast] = [simple(), simple()];
    const groups = [{ parameters: [slow] }, { parameters: [fast], learningRateFactor: 2, weightDecay: 1 }];
    const sgd = new SGD(groups, { learningRate: 0.5 });
    sgd.learningRate = 0.25;
    for (const p of [slow, fast]) setGradient(p, [1, 1, 1, 1, 1]);
    sgd.step();
    expect([...slow.toArray()]).toEqual([0.75, 1.75, 2.75, 3.75, 4.75]);
    expect([...fast.toArray()]).toEqual([0, 0.5, 1, 1.5, 2]);
  });

  it("gives the same bits on one thread and on two", () => {
    const run = (threads: number) => {
      setThreads(threads);
      const p = parameter(
        Float32Array.from({ length: 50_003 }, (_, i) => Math.sin(i)),
        [50_003],
      );
      const adam = new Adam([p], { learningRate: 0.01 });
      let norm = 0;
      for (let time = 0; time < 3; time++) {
        setGradient(
          p,
          Float32Array.from({ length: 50_003 }, (_, i) => Math.cos(i * time)),
        );
        norm += clipGradNorm([p], 10);
        adam.step();
      }
      return { norm, values: p.toArray() };
    };
    const one = run(1);
    const two = run(2);
    expect(two.norm).toBe(one.norm);
    expect(Buffer.from(two.values.buffer).equals(Buffer.from(one.values.buffer))).toBe(true);
  });

  it("refuses what it cannot work with", () => {
    const p = simple();
    expect(() => new SGD([], { learningRate: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: SGD: there are no parameters to optimize]`,
    );
    expect(() => new SGD([p, p], { learningRate: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: SGD: parameter 1 is there twice]`,
    );
    expect(() => new SGD([tensor([1, 2])], { learningRate: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: SGD: parameter 0 must be made by parameter(), got Tensor float32 [2]]`,
    );
    expect(() => new Adam([p], { learningRate: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: Adam: learningRate must be a number 0 or more, got -1]`,
    );
    expect(() => new Adam([p], { learningRate: 1, betas: [0.9, 1] })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: Adam: betas.1 must be a number 0 or more and below 1, got 1]`,
    );
    expect(() => new SGD([p], { learningRate: 1, nesterov: true })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: SGD: nesterov needs a momentum, and dampening 0]`,
    );
    expect(() => clipGradNorm([p], 0)).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: clipGradNorm: max must be above 0, got 0]`,
    );
    expect(() => clipGradValue([p], Number.NaN)).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: clipGradValue: limit must be above 0, got NaN]`,
    );
  });

  it("refuses a state that does not fit, with every reason", () => {
    const adam = new Adam([simple(), simple()], { learningRate: 1 });
    const state = new Map([
      ["0.step", tensor(new Int32Array([3]), [])],
      ["0.exp_avg", tensor([1, 2])],
      ["1.step", tensor([3, 4])],
      ["1.exp_avg", tensor([1, 2, 3, 4, 5])],
      ["1.exp_avg_sq", tensor([1, 2, 3, 4, 5])],
      ["7.step", tensor(new Int32Array([3]), [])],
    ]);
    expect(() => adam.loadStateDict(state)).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: loadStateDict: the state does not fit Adam:
        0.exp_avg must be float32 [5], got float32 [2]
        0.exp_avg_sq is missing
        1.step must be int32 [], got float32 [2]
        7.step is unexpected]
    `);
    expect(adam.stateDict().size).toBe(0);
  });
});

describe("clipping", () => {
  it("by norm takes all gradients together and returns the norm before", () => {
    const [a, b, none] = [simple(), simple(), simple()];
    setGradient(a, [3, 0, 0, 0, 0]);
    setGradient(b, [0, 0, 0, 0, 4]);
    expect(clipGradNorm([a, b, none], 10)).toBe(5);
    expect(a.grad!.toArray()[0]).toBe(3);
    expect(clipGradNorm([a, b, none], 1)).toBe(5);
    expect(a.grad!.toArray()[0]).toBeCloseTo(0.6, 6);
    expect(b.grad!.toArray()[4]).toBeCloseTo(0.8, 6);
  });

  it("by norm reports what is not finite and leaves it to be found", () => {
    const [a, b] = [simple(), simple()];
    setGradient(a, [1, Number.NaN, 0, 0, 0]);
    setGradient(b, [5, 0, 0, 0, 0]);
    expect(clipGradNorm([a, b], 1)).toBeNaN();
    expect(b.grad!.toArray()[0]).toBe(5);
  });

  it("sums squares exactly enough over any length", () => {
    for (const n of [1, 2, 3, 5, 1023, 1025, 100_001]) {
      const p = parameter(new Float32Array(n), [n]);
      setGradient(
        p,
        Float32Array.from({ length: n }, (_, i) => Math.sin(i + 1)),
      );
      const expected = Math.sqrt([...p.grad!.toArray()].reduce((sum, x) => sum + x * x, 0));
      expect(Math.abs(clipGradNorm([p], 1e9) / expected - 1)).toBeLessThan(1e-6);
    }
  });

  it("by value cuts each element", () => {
    const p = simple();
    setGradient(p, [3, -3, 0.5, -0.5, Number.NaN]);
    clipGradValue([p], 1);
    expect([...p.grad!.toArray()]).toEqual([1, -1, 0.5, -0.5, Number.NaN]);
  });
});
