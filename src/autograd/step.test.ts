import { describe, expect, it } from "vitest";
import { getEngine } from "../engine/engine.ts";
import { tanh } from "../ops/pointwise.ts";
import { parameter, type Tensor, tensor } from "../tensor/tensor.ts";
import { noGrad, step } from "./step.ts";

const one = () => tensor([0.5], undefined, { requiresGrad: true });

describe("step", () => {
  it("keeps what it returns, in arrays and records however deep, and drops the rest", () => {
    let dropped: Tensor | undefined;
    const kept = step(() => {
      dropped = tanh(tensor([1, 2]));
      return { loss: tanh(tensor([0])), state: [{ h: tanh(tensor([100])) }], n: 3 };
    });
    expect(kept.loss.item()).toBe(0);
    expect(kept.state[0]!.h.item()).toBe(1);
    expect(kept.n).toBe(3);
    expect(() => dropped!.toArray()).toThrowErrorMatchingInlineSnapshot(`
      [UsageError: tensor: used after its step ended
      hint: return it from step() to keep it]
    `);
    expect(() => tanh(dropped!)).toThrow("used after its step ended");
  });

  it("refuses a function that returns a promise, and still ends", () => {
    const mark = getEngine().memory.mark();
    expect(() => step(async () => 1)).toThrowErrorMatchingInlineSnapshot(`
      [UsageError: step: the function must be synchronous, got one that returns a promise
      hint: await before or after the step, e.g. \`await loss.value()\` on what it returns]
    `);
    expect(getEngine().memory.mark()).toEqual(mark);
  });

  it("ends when the function throws", () => {
    const mark = getEngine().memory.mark();
    expect(() =>
      step(() => {
        tanh(tensor([1]));
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(getEngine().memory.mark()).toEqual(mark);
  });

  it("nests: the inner step's result is a constant of the outer one", () => {
    const x = one();
    const { y, inner } = step(() => {
      const inner = step(() => tanh(x));
      const y = tanh(inner);
      expect(y.requiresGrad).toBe(false);
      return { y, inner };
    });
    expect(y.item()).toBeCloseTo(Math.tanh(Math.tanh(0.5)), 6);
    expect(inner.item()).toBeCloseTo(Math.tanh(0.5), 6);
  });

  it("gives what is an outer step's back as it is", () => {
    const x = one();
    const gradient = step(() => {
      const y = tanh(x);
      const same = step(() => y);
      tanh(same).backward();
      return x.grad!.item();
    });
    expect(gradient).toBeCloseTo((1 - Math.tanh(Math.tanh(0.5)) ** 2) * (1 - Math.tanh(0.5) ** 2), 6);
  });

  it("carries a kept tensor into the next step", () => {
    let state = tensor([0.3]);
    for (let i = 0; i < 3; i++) state = step(() => tanh(state));
    expect(state.item()).toBeCloseTo(Math.tanh(Math.tanh(Math.tanh(0.3))), 6);
  });
});

describe("backward", () => {
  it("adds to the gradient of a parameter, step after step, until it is taken", () => {
    const w = parameter(Float32Array.of(0.5), [1]);
    const slope = 1 - Math.tanh(0.5) ** 2;
    step(() => tanh(w).backward());
    expect(w.grad!.item()).toBeCloseTo(slope, 6);
    step(() => tanh(w).backward());
    expect(w.grad!.item()).toBeCloseTo(2 * slope, 6);
  });

  it("gives a fresh gradient in every step to a tensor that is no parameter", () => {
    const x = one();
    const grad = () =>
      step(() => {
        tanh(x).backward();
        return x.grad!;
      }).item();
    expect(grad()).toBe(grad());
  });

  it("counts a value used twice twice", () => {
    const x = one();
    const grad = step(() => {
      const y = tanh(x);
      tanh(y).backward();
      tanh(y).backward();
      return x.grad!;
    });
    const once = (1 - Math.tanh(0.5) ** 2) * (1 - Math.tanh(Math.tanh(0.5)) ** 2);
    expect(grad.item()).toBeCloseTo(2 * once, 6);
  });

  it("refuses where nothing was recorded", () => {
    expect(() => tanh(one()).backward()).toThrowErrorMatchingInlineSnapshot(`
      [UsageError: backward: nothing recorded leads here
      hint: compute the loss and call backward() inside one step(() => …), from parameters that require gradients]
    `);
    step(() => {
      expect(() => noGrad(() => tanh(one())).backward()).toThrow("nothing recorded");
      expect(() => tanh(tensor([1, 2])).backward()).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: backward: must start from one element, got [2]]`,
      );
    });
  });
});
