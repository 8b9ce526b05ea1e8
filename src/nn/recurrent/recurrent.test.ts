import { describe, expect, it } from "vitest";
import { step } from "../../autograd/step.ts";
import { setThreads, threads } from "../../engine/engine.ts";
import { square } from "../../ops/pointwise.ts";
import { sum } from "../../ops/reduce.ts";
import { manualSeed } from "../../tensor/random.ts";
import { type Tensor, tensor, zeros } from "../../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../../testing/check-op.ts";
import { withReference } from "../../testing/reference-backend.ts";
import { GRU } from "./gru.ts";
import { LayerNormLSTM } from "./layer-norm-lstm.ts";
import { LRU } from "./lru.ts";
import { LSTM, type LSTMState } from "./lstm.ts";
import { MinGRU, MinLSTM } from "./minimal.ts";
import { MLSTM, MRNN } from "./multiplicative.ts";
import { QRNN } from "./qrnn.ts";
import type { RecurrentOptions } from "./recurrent.ts";
import { RGLRU } from "./rg-lru.ts";
import { RNN } from "./rnn.ts";
import { SLSTM } from "./slstm.ts";

const layers = { RNN, GRU, LSTM, MinGRU, MinLSTM, MRNN, MLSTM, QRNN, RGLRU, LRU, LayerNormLSTM, SLSTM };
type Layer = InstanceType<(typeof layers)[keyof typeof layers]>;
type Options = RecurrentOptions & Record<string, unknown>;
const build = (kind: keyof typeof layers, options: Options): Layer => new layers[kind](options);
const kinds = Object.keys(layers) as (keyof typeof layers)[];

const shapesOf = (layer: Layer) =>
  [...layer.namedParameters()].map(([name, p]) => `${name} [${p.shape.join(", ")}]`);

const noise = (shape: number[], seed = 1) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed + i * i)),
    shape,
  );

const bytes = (t: Tensor) => Buffer.from(t.toArray().buffer);

/** The layer as one op of its input, weights and initial state: outputs and final state. */
function asCase(kind: keyof typeof layers, options: Options, lengths?: number[]): OpCase {
  const [T, N] = [3, 2];
  const model = build(kind, options);
  const shapes: OpCase["shapes"] = { input: [T, N, options.inputSize] };
  for (const [name, p] of model.namedParameters()) shapes[name] = p.shape;
  for (const [name, part] of Object.entries(model.zeroState(N))) shapes[name] = part.shape;
  return {
    name: `${kind} ${JSON.stringify(options)} lengths ${lengths}`,
    shapes,
    run({ input, ...given }) {
      const parts = Object.keys(model.zeroState(N));
      const [state, weights] = [true, false].map((wanted) =>
        Object.fromEntries(Object.entries(given).filter(([name]) => parts.includes(name) === wanted)),
      ) as [LSTMState, Record<string, Tensor>];
      // What gates add up to is never negative.
      if ("n" in state) Object.assign(state, { n: square(state.n as Tensor) });
      const layer = Object.assign(model, weights) as LSTM;
      const { output, state: last } = layer.forward(input!, {
        state,
        lengths: lengths && tensor(Int32Array.from(lengths)),
      });
      return [output, ...Object.values(last)];
    },
  };
}

const stacks: [keyof typeof layers, Options][] = [
  ["RNN", { inputSize: 3, hiddenSize: 2, numLayers: 3, nonlinearity: "sigmoid" }],
  ["RNN", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true, bias: false }],
  ["GRU", { inputSize: 3, hiddenSize: 2, numLayers: 2, resetAfter: false }],
  ["GRU", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true, merge: "sum" }],
  ["LSTM", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true }],
  ["LSTM", { inputSize: 3, hiddenSize: 3, numLayers: 2, bidirectional: true, projSize: 2, peepholes: true }],
  ["MinGRU", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true }],
  ["MinLSTM", { inputSize: 3, hiddenSize: 2, numLayers: 2, bias: false }],
  ["MRNN", { inputSize: 3, hiddenSize: 2, bidirectional: true }],
  ["MLSTM", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true }],
  ["QRNN", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true, merge: "sum" }],
  ["RGLRU", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true }],
  ["LRU", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true }],
  ["LayerNormLSTM", { inputSize: 3, hiddenSize: 9, numLayers: 2, bidirectional: true }],
  ["SLSTM", { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true, bias: false }],
];

describe.each(stacks)("%s %j", (kind, options) => {
  it("agrees with the reference", () => checkParity(asCase(kind, options)));
  it("agrees with the reference within lengths", () => checkParity(asCase(kind, options, [3, 1])));
});

it.each(["concat", "sum"] as const)(
  "two layers and directions, %s, have the gradients of finite differences",
  (merge) =>
    checkGradients(
      asCase(
        "GRU",
        { inputSize: 2, hiddenSize: 2, numLayers: 2, bidirectional: true, bias: false, merge },
        [3, 1],
      ),
    ),
);

it("RGLRU has finite gradients where a gate is closed", () => {
  const layer = new RGLRU({ inputSize: 2, hiddenSize: 3 });
  layer.bias_ih_l0!.set([-40, -40, -40, 0, 0, 0, 0, 0, 0]);
  step(() => sum(layer.forward(tensor(new Float32Array(8).fill(0.5), [4, 1, 2])).output).backward());
  for (const p of layer.parameters()) {
    expect(p.grad!.toArray().every(Number.isFinite)).toBe(true);
  }
});

describe("weights", () => {
  it("have PyTorch's names and shapes", () => {
    expect(
      shapesOf(new GRU({ inputSize: 5, hiddenSize: 4, numLayers: 2, bidirectional: true })),
    ).toMatchInlineSnapshot(`
      [
        "weight_ih_l0 [12, 5]",
        "weight_hh_l0 [12, 4]",
        "bias_ih_l0 [12]",
        "bias_hh_l0 [12]",
        "weight_ih_l0_reverse [12, 5]",
        "weight_hh_l0_reverse [12, 4]",
        "bias_ih_l0_reverse [12]",
        "bias_hh_l0_reverse [12]",
        "weight_ih_l1 [12, 8]",
        "weight_hh_l1 [12, 4]",
        "bias_ih_l1 [12]",
        "bias_hh_l1 [12]",
        "weight_ih_l1_reverse [12, 8]",
        "weight_hh_l1_reverse [12, 4]",
        "bias_ih_l1_reverse [12]",
        "bias_hh_l1_reverse [12]",
      ]
    `);
    const options = {
      inputSize: 5,
      hiddenSize: 4,
      projSize: 3,
      peepholes: true,
      bidirectional: true,
      numLayers: 2,
    };
    expect(shapesOf(new LSTM({ ...options, bias: false, merge: "sum" }))).toMatchInlineSnapshot(`
      [
        "weight_ih_l0 [16, 5]",
        "weight_hh_l0 [16, 3]",
        "weight_hr_l0 [3, 4]",
        "weight_peephole_l0 [3, 4]",
        "weight_ih_l0_reverse [16, 5]",
        "weight_hh_l0_reverse [16, 3]",
        "weight_hr_l0_reverse [3, 4]",
        "weight_peephole_l0_reverse [3, 4]",
        "weight_ih_l1 [16, 3]",
        "weight_hh_l1 [16, 3]",
        "weight_hr_l1 [3, 4]",
        "weight_peephole_l1 [3, 4]",
        "weight_ih_l1_reverse [16, 3]",
        "weight_hh_l1_reverse [16, 3]",
        "weight_hr_l1_reverse [3, 4]",
        "weight_peephole_l1_reverse [3, 4]",
      ]
    `);
  });

  it("are uniform in ±1/√H, and the forget gate's bias what was asked for", () => {
    manualSeed(1);
    const lstm = new LSTM({ inputSize: 8, hiddenSize: 16, forgetGateBias: 1.5, bidirectional: true });
    for (const p of new LSTM({ inputSize: 8, hiddenSize: 16 }).parameters()) {
      const largest = Math.max(...p.toArray().map(Math.abs));
      expect(largest).toBeLessThanOrEqual(0.25);
      expect(largest).toBeGreaterThan(0.2);
    }
    expect([...lstm.bias_ih_l0_reverse!.toArray().slice(16, 32)]).toEqual(Array(16).fill(1.5));
    expect([...lstm.bias_hh_l0!.toArray().slice(16, 32)]).toEqual(Array(16).fill(0));
    expect(lstm.bias_ih_l0!.toArray()[15]).not.toBe(1.5);
    expect(lstm.bias_ih_l0!.toArray()[32]).not.toBe(1.5);
  });

  it("remember for up to T steps, each unit for another time, with chrono", () => {
    manualSeed(1);
    const H = 64;
    const lstm = new LSTM({ inputSize: 8, hiddenSize: H, chrono: 100, numLayers: 2 });
    for (const layer of ["l0", "l1"] as const) {
      const bias = lstm[`bias_ih_${layer}`]!.toArray();
      const [input, forget] = [bias.slice(0, H), bias.slice(H, 2 * H)];
      // A state that only decays by σ(b) is kept for about e^b steps.
      const times = [...forget].map(Math.exp);
      expect(Math.min(...times)).toBeGreaterThanOrEqual(1);
      expect(Math.min(...times)).toBeLessThan(10);
      expect(Math.max(...times)).toBeLessThan(99);
      expect(Math.max(...times)).toBeGreaterThan(90);
      expect([...input]).toEqual([...forget].map((b) => 0 - b));
      expect([...lstm[`bias_hh_${layer}`]!.toArray().slice(0, 2 * H)]).toEqual(Array(2 * H).fill(0));
      expect(lstm[`bias_hh_${layer}`]!.toArray()[2 * H]).not.toBe(0);
    }
  });

  it("of W_hh are dropped in training, for the whole sequence, and so are units", () => {
    manualSeed(1);
    const options = { inputSize: 3, hiddenSize: 8, numLayers: 2 };
    const input = noise([6, 2, 3]);
    const plain = new RNN(options);
    const dropping = new RNN({ ...options, weightDrop: 0.5 });
    dropping.loadStateDict(plain.stateDict());
    expect(dropping.eval().forward(input).output.toArray()).toEqual(plain.forward(input).output.toArray());
    // Inputs that are the same at each step are a fixed map from state to state: it too is the same at each step.
    const still = tensor(new Float32Array(200 * 2 * 3).fill(0.5), [200, 2, 3]);
    const { output } = dropping.train().forward(still);
    const [last, before] = [199, 198].map((t) => output.toArray().slice(t * 16, (t + 1) * 16));
    expect(Math.max(...last!.map((x, i) => Math.abs(x - before![i]!)))).toBeLessThan(1e-3);
    expect(last).not.toEqual(
      plain
        .forward(still)
        .output.toArray()
        .slice(199 * 16),
    );

    const units = new RNN({ ...options, dropout: 0.5, variationalDropout: true }).train();
    const each = new RNN({ ...options, dropout: 0.5 }).train();
    const moves = (layer: RNN) => {
      const values = layer.forward(still).output.toArray();
      return Math.max(...values.slice(199 * 16).map((x, i) => Math.abs(x - values[198 * 16 + i]!)));
    };
    expect(moves(units)).toBeLessThan(1e-3);
    expect(moves(each)).toBeGreaterThan(1e-2);
  });

  it("print with what is unusual", () => {
    expect(String(new LSTM({ inputSize: 128, hiddenSize: 256 }))).toMatchInlineSnapshot(
      `"LSTM(128, 256), 395,264 parameters"`,
    );
    expect(
      String(
        new LSTM({
          inputSize: 8,
          hiddenSize: 4,
          numLayers: 2,
          dropout: 0.2,
          bidirectional: true,
          projSize: 2,
        }),
      ),
    ).toMatchInlineSnapshot(
      `"LSTM(8, 4, numLayers=2, dropout=0.2, bidirectional=true, projSize=2), 672 parameters"`,
    );
    expect(
      String(new RNN({ inputSize: 8, hiddenSize: 4, nonlinearity: "relu", bias: false })),
    ).toMatchInlineSnapshot(`"RNN(8, 4, bias=false, nonlinearity=relu), 48 parameters"`);
  });
});

describe.each(kinds)("%s", (kind) => {
  const layer = build(kind, { inputSize: 5, hiddenSize: 19, numLayers: 2 }) as LSTM;
  const input = noise([7, 3, 5]);

  it("gives step by step the bits of the whole sequence", () => {
    const whole = layer.forward(input);
    let state: typeof whole.state | undefined;
    const outputs: Buffer[] = [];
    for (let t = 0; t < 7; t++) {
      const x = tensor(input.toArray().slice(15 * t, 15 * (t + 1)), [3, 5]);
      const next = layer.step(x, state);
      outputs.push(bytes(next.output));
      state = next.state;
    }
    expect(Buffer.concat(outputs).equals(bytes(whole.output))).toBe(true);
    expect(Object.values(state!).map(bytes)).toEqual(Object.values(whole.state).map(bytes));
  });

  it("streams the same bits, from the beginning and on from a state", () => {
    const whole = layer.forward(input);
    const values = input.toArray();
    const run = (stream: ReturnType<typeof layer.stream>, from: number, to: number) =>
      Array.from({ length: to - from }, (_, t) => [
        ...stream.step(values.subarray(15 * (from + t), 15 * (from + t + 1))),
      ]).flat();
    const stream = layer.stream({ batchSize: 3 });
    const outputs = [...whole.output.toArray()];
    expect(run(stream, 0, 7)).toEqual(outputs);
    expect(Object.values(stream.state).map(bytes)).toEqual(Object.values(whole.state).map(bytes));
    stream.reset();
    expect(run(stream, 0, 4)).toEqual(outputs.slice(0, 4 * 57));
    expect(run(layer.stream({ batchSize: 3, state: stream.state }), 4, 7)).toEqual(outputs.slice(4 * 57));
    stream.reset();
    expect([...stream.steps(new Float32Array(values))]).toEqual(outputs);
    expect(Object.values(stream.state).map(bytes)).toEqual(Object.values(whole.state).map(bytes));
    stream.reset();
    expect([...stream.steps(new Float32Array(values.subarray(0, 45))), ...run(stream, 3, 7)]).toEqual(
      outputs,
    );
  });

  it("gives in pieces, with the state carried over, the bits of the whole", () => {
    const whole = layer.forward(input);
    const first = layer.forward(tensor(input.toArray().slice(0, 60), [4, 3, 5]));
    const second = layer.forward(tensor(input.toArray().slice(60), [3, 3, 5]), { state: first.state });
    expect(Buffer.concat([bytes(first.output), bytes(second.output)]).equals(bytes(whole.output))).toBe(true);
    expect(Object.values(second.state).map(bytes)).toEqual(Object.values(whole.state).map(bytes));
  });

  it("gives a sequence the same bits alone and padded in a batch, in both directions", () => {
    const both = build(kind, { inputSize: 5, hiddenSize: 19, numLayers: 2, bidirectional: true });
    const padded = input.toArray();
    for (let t = 4; t < 7; t++) padded.fill(Number.NaN, 15 * t + 5, 15 * t + 10);
    const batch = both.forward(tensor(padded, [7, 3, 5]), { lengths: tensor(Int32Array.of(7, 4, 7)) });
    const one = Float32Array.from({ length: 20 }, (_, i) => padded[15 * Math.floor(i / 5) + 5 + (i % 5)]!);
    const alone = both.forward(tensor(one, [4, 1, 5])).output.toArray();
    const inBatch = batch.output.toArray();
    for (let t = 0; t < 7; t++) {
      const expected = t < 4 ? alone.slice(38 * t, 38 * (t + 1)) : new Float32Array(38);
      expect(inBatch.slice(114 * t + 38, 114 * t + 76)).toEqual(expected);
    }
  });

  it("begins with zeros", () => {
    const state = layer.zeroState(3);
    expect(layer.forward(input, { state }).output.toArray()).toEqual(layer.forward(input).output.toArray());
  });

  it("gives its state out of a step, to be carried on", () => {
    const { state } = step(() => layer.forward(input));
    expect(state.h.shape).toEqual(layer.stateShapes(3).h);
    expect(step(() => layer.forward(input, { state }).output).shape).toEqual([7, 3, 19]);
  });
});

it.each(kinds)("%s: threads that share the columns of a step's product change no bit", (kind) => {
  const layer = build(kind, { inputSize: 4, hiddenSize: 460, bidirectional: true });
  const input = noise([3, 2, 4]);
  const before = threads();
  const [one, two] = [1, 2].map((count) => {
    setThreads(count);
    const { output, state } = layer.forward(input, { lengths: tensor(Int32Array.of(3, 2)) });
    return [output, ...Object.values(state)].map(bytes);
  });
  setThreads(before);
  expect(two).toEqual(one);
});

it("two directions stand side by side or are added up", () => {
  const options = { inputSize: 3, hiddenSize: 4, bidirectional: true };
  const concat = new GRU(options);
  const sum = new GRU({ ...options, merge: "sum" });
  sum.loadStateDict(concat.stateDict());
  expect([concat.outputSize, sum.outputSize]).toEqual([8, 4]);
  const input = noise([2, 1, 3]);
  const apart = concat.forward(input).output.toArray();
  expect([...sum.forward(input).output.toArray()]).toEqual(
    [0, 1, 2, 3, 8, 9, 10, 11].map((i) => Math.fround(apart[i]! + apart[i + 4]!)),
  );
});

it("a stream does not drop, keeps the weights it was made with, and other work does not disturb it", () => {
  const options = {
    inputSize: 5,
    hiddenSize: 300,
    numLayers: 2,
    projSize: 20,
    peepholes: true,
    dropout: 0.5,
  };
  const lstm = new LSTM(options);
  const input = noise([4, 1, 5]);
  const expected = [...lstm.eval().forward(input).output.toArray()];
  const stream = lstm.train().stream();
  for (const p of lstm.parameters()) p.set(new Float32Array(p.size));
  const outputs = [0, 1, 2, 3].flatMap((t) => {
    lstm.forward(noise([9, 8, 5])); // leaves its traces all over the arena
    return [...stream.step(input.toArray().subarray(5 * t, 5 * t + 5))];
  });
  expect(outputs).toEqual(expected);
  expect(lstm.training).toBe(true);
});

it("errors say what is expected", () => {
  const lstm = new LSTM({ inputSize: 64, hiddenSize: 8, numLayers: 2 });
  expect(() => lstm.forward(zeros([32, 8, 65]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: lstm: input must be [time, batch, 64], got [32, 8, 65]]`,
  );
  const wrong = { h: zeros([1, 8, 8]), c: zeros([2, 8, 8]) };
  expect(() => lstm.forward(zeros([32, 8, 64]), { state: wrong })).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: LSTM: state.h must be [2, 8, 8], got [1, 8, 8]]`,
  );
  const missing = { h: zeros([2, 8, 8]) } as typeof wrong;
  expect(() => lstm.forward(zeros([32, 8, 64]), { state: missing })).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: LSTM: state must have h and c, c is missing]`,
  );
  const both = new GRU({ inputSize: 3, hiddenSize: 8, bidirectional: true });
  expect(() => both.step(zeros([1, 3]))).toThrowErrorMatchingInlineSnapshot(`
    [UsageError: GRU: a bidirectional layer has no step
    hint: its output depends on the whole input: use forward]
  `);
  expect(() => both.stream()).toThrow("GRU: a bidirectional layer has no stream");
  expect(() => lstm.stream().step([1, 2])).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: LSTM: step must get 64 numbers, got 2]`,
  );
  expect(() => lstm.stream().steps(new Float32Array(65))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: LSTM: steps must get a multiple of 64 numbers, got 65]`,
  );
  expect(() => lstm.stream({ state: wrong })).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: LSTM: state.h must be [2, 1, 8], got [1, 8, 8]]`,
  );
  expect(() => withReference(() => lstm.stream())).toThrow("the reference has none to record");
  const make = (options: object) => () => new LSTM({ inputSize: 3, hiddenSize: 4, ...options });
  expect(make({ hiddensize: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: hiddensize is not known (did you mean hiddenSize?)]`,
  );
  expect(make({ hiddenSize: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: hiddenSize must be a whole number from 1 to 1000000, got 0]`,
  );
  expect(make({ dropout: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: dropout must be a number 0 or more and below 1, got 1]`,
  );
  expect(make({ merge: "mean" })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: merge must be concat or sum, got "mean"]`,
  );
  expect(make({ projSize: 4 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: projSize must be below hiddenSize, 4, got 4]`,
  );
  expect(make({ forgetGateBias: 1, bias: false })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: forgetGateBias must be left out where bias is false]`,
  );
  expect(
    () => new MinGRU({ inputSize: 2, hiddenSize: 4, weightDrop: 0.5 }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: MinGRU: weightDrop is of weight_hh, and its gates read the input alone]`,
  );
  expect(make({ chrono: 50, bias: false })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: chrono must be left out where bias is false]`,
  );
  expect(make({ forgetGateBias: 1, chrono: 50 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: LSTM: forgetGateBias must be left out where chrono is given]`,
  );
});
