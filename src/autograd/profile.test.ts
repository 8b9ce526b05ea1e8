import { expect, it } from "vitest";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { embedding } from "../ops/gather.ts";
import { linear } from "../ops/linear.ts";
import { lstm } from "../ops/lstm.ts";
import { parameter, type Tensor, tensor } from "../tensor/tensor.ts";
import { withReference } from "../testing/reference-backend.ts";
import { Profiler } from "./profile.ts";
import { step } from "./step.ts";

const random = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b);
  return parameter(
    Float32Array.from({ length: size }, (_, i) => Math.sin(7 * i)),
    shape,
  );
};

function makeModel() {
  const [T, N, V, E, H] = [5, 3, 11, 8, 6];
  const weights = {
    embedding: random(V, E),
    weightIh: random(4 * H, E),
    weightHh: random(4 * H, H),
    output: random(V, H),
  };
  const tokens = tensor(
    Int32Array.from({ length: T * N }, (_, i) => i % V),
    [T, N],
  );
  const update = () =>
    step(() => {
      const { embedding: table, weightIh, weightHh, output } = weights;
      const x = embedding(tokens, table);
      const loss = crossEntropy(linear(lstm({ input: x, weightIh, weightHh }).output, output), tokens);
      loss.backward();
      return loss;
    }).item();
  return { update, weights };
}

const gradients = (weights: Record<string, Tensor>) =>
  Object.values(weights).map((weight) => Array.from(weight.grad!.toArray()));

it("tells of each op, forward and backward, how often it ran and what it did", () => {
  const profiler = new Profiler();
  const { update } = makeModel();
  update();
  profiler.run(update);
  profiler.run(update);
  const { runs, milliseconds, ops } = profiler.result();
  expect(runs).toBe(2);
  const counts = Object.fromEntries(ops.map(({ op, pass, count }) => [`${op} ${pass}`, count]));
  expect(counts).toEqual({
    ...{ "embedding forward": 2, "lstm forward": 2, "linear forward": 2, "crossEntropy forward": 2 },
    ...{ "embedding backward": 2, "lstm backward": 2, "linear backward": 2, "crossEntropy backward": 2 },
    // The loss, the logits, the states and the vectors of the tokens: parameters have theirs already.
    "zero gradient backward": 8,
  });
  const inOps = ops.reduce((sum, op) => sum + op.milliseconds, 0);
  expect(inOps).toBeGreaterThan(0);
  expect(inOps).toBeLessThan(milliseconds);
  expect(ops.reduce((sum, op) => sum + op.share, 0)).toBeCloseTo(inOps / milliseconds, 9);
  expect(ops.map((op) => op.milliseconds)).toEqual(
    ops.map((op) => op.milliseconds).toSorted((a, b) => b - a),
  );
});

it("counts what the products multiply, and the bytes of the tensors", () => {
  const profiler = new Profiler();
  profiler.run(makeModel().update);
  const done = (name: string, pass: string) => {
    const op = profiler.result().ops.find((each) => each.op === name && each.pass === pass)!;
    return [(op.gflops ?? 0) * op.milliseconds * 1e6, op.gigabytes * op.milliseconds * 1e6].map(Math.round);
  };
  const [TN, V, E, H] = [15, 11, 8, 6];
  const lstmBytes = 4 * (TN * E + 4 * H * (E + H) + TN * H + 2 * 3 * H + TN * 5 * H);
  expect(done("lstm", "forward")).toEqual([8 * TN * H * (E + H), lstmBytes]);
  expect(done("lstm", "backward")).toEqual([16 * TN * H * (E + H), 2 * lstmBytes]);
  expect(done("linear", "forward")).toEqual([2 * TN * H * V, 4 * (TN * H + H * V + TN * V)]);
  expect(done("embedding", "forward")).toEqual([0, 8 * TN * E]);
});

it("changes no bit", () => {
  const [plain, profiled] = [makeModel(), makeModel()];
  expect(new Profiler().run(profiled.update)).toBe(plain.update());
  expect(gradients(profiled.weights)).toEqual(gradients(plain.weights));
});

it("measures another backend as well, and nothing once it is over", () => {
  const profiler = new Profiler();
  withReference(() => profiler.run(makeModel().update));
  const { ops } = profiler.result();
  expect(ops.length).toBeGreaterThan(4);
  expect(() =>
    profiler.run(() => {
      throw new Error("mine");
    }),
  ).toThrow("mine");
  makeModel().update();
  expect(profiler.result().ops.map(({ count }) => count)).toEqual(ops.map(({ count }) => count));
});
