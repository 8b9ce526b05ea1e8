import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { AdamW } from "../optim/adam.ts";
import { clipGradNorm } from "../optim/clip.ts";
import { manualSeed } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { Embedding } from "./embedding.ts";
import { freeze } from "./freeze.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { LSTM } from "./recurrent/lstm.ts";

class Model extends Module {
  readonly embedding = new Embedding(5, 4);
  readonly rnn = new LSTM({ inputSize: 4, hiddenSize: 4, numLayers: 2 });
  readonly output = new Linear(4, 5);
}

/** A few updates with everything that could change a weight. */
function train(model: Model): AdamW {
  const optimizer = new AdamW(model.namedParameters(), { learningRate: 0.1, weightDecay: 0.5 });
  const tokens = tensor(new Int32Array([0, 1, 2, 3, 4, 0]), [3, 2]);
  for (let i = 0; i < 3; i++) {
    step(() => {
      const { output } = model.rnn.forward(model.embedding.forward(tokens));
      crossEntropy(model.output.forward(output), tokens).backward();
      clipGradNorm(model.parameters(), 1);
      optimizer.step();
    });
  }
  return optimizer;
}

describe("freeze", () => {
  for (const patterns of [["embedding.*"], ["rnn.*_l0", "output.bias"], ["rnn.weight_hh_l1"], ["output.*"]]) {
    it(`leaves ${patterns.join(" and ")} as they are, and trains the rest`, () => {
      const model = new Model();
      const frozen = freeze(model, patterns);
      const before = model.stateDict();
      const state = train(model).stateDict();
      for (const [name, parameter] of model.namedParameters()) {
        const same = before
          .get(name)!
          .toArray()
          .every((value, i) => value === parameter.toArray()[i]);
        expect([name, same]).toEqual([name, frozen.includes(name)]);
        expect([name, parameter.grad === undefined]).toEqual([name, frozen.includes(name)]);
        expect([name, state.has(`${name}.exp_avg`)]).toEqual([name, !frozen.includes(name)]);
      }
    });
  }

  it("changes no other gradient", () => {
    const tokens = tensor(new Int32Array([0, 1, 2, 3, 4, 0]), [3, 2]);
    const gradients = (patterns: string[]) => {
      manualSeed(1);
      const model = new Model();
      freeze(model, patterns);
      step(() => {
        const { output } = model.rnn.forward(model.embedding.forward(tokens));
        crossEntropy(model.output.forward(output), tokens).backward();
      });
      return new Map([...model.namedParameters()].map(([name, { grad }]) => [name, grad?.toArray()]));
    };
    const all = gradients([]);
    for (const name of all.keys()) {
      const rest = gradients([name]);
      expect(rest).toEqual(new Map(all).set(name, undefined));
    }
  });

  it("gives the names, in the model's order", () => {
    expect(freeze(new Model(), ["output.bias", "rnn.*_l0", "rnn.bias_ih_*"])).toEqual([
      "rnn.weight_ih_l0",
      "rnn.weight_hh_l0",
      "rnn.bias_ih_l0",
      "rnn.bias_hh_l0",
      "rnn.bias_ih_l1",
      "output.bias",
    ]);
  });

  it("refuses a name that fits nothing, and to freeze everything", () => {
    const model = new Model();
    expect(() => freeze(model, ["output.*", "embeding.weight"])).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: freeze: no parameter is called "embeding.weight" (did you mean embedding.weight?)]`,
    );
    expect(() => freeze(model, ["rnnXweight_ih_l0"])).toThrow(/did you mean rnn.weight_ih_l0/);
    expect(() => freeze(model, ["embedding"])).toThrow(/did you mean embedding\.\*\?/);
    expect(() => freeze(model, ["*"])).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: freeze: nothing is left to train: every parameter is frozen]`,
    );
    expect(model.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true);
  });
});
