import { describe, expect, it } from "vitest";
import {
  Adam,
  clipGradNorm,
  crossEntropy,
  Dropout,
  Embedding,
  GRU,
  LayerNorm,
  Linear,
  LSTM,
  type LSTMState,
  Module,
  manualSeed,
  RNN,
  step,
  type Tensor,
  tensor,
} from "../index.ts";
import { relativeError } from "../testing/check-op.ts";

class CharModel extends Module {
  readonly embedding = new Embedding(65, 128);
  readonly lstm = new LSTM({ inputSize: 128, hiddenSize: 256, numLayers: 2, dropout: 0.2 });
  readonly output = new Linear(256, 65);

  /** tokens [T, N] → logits [T, N, 65] and the state to carry on with. */
  forward(tokens: Tensor, state?: LSTMState) {
    const { output, state: next } = this.lstm.forward(this.embedding.forward(tokens), { state });
    return { logits: this.output.forward(output), state: next };
  }
}

const tokensOf = (T: number, N: number, V: number, shift = 0) =>
  tensor(
    Int32Array.from({ length: T * N }, (_, i) => (i * i + shift) % V),
    [T, N],
  );

describe("a model of one's own", () => {
  manualSeed(1);
  const model = new CharModel();

  it("prints", () => {
    expect(String(model)).toMatchInlineSnapshot(`
      "CharModel(
        (embedding): Embedding(65, 128)
        (lstm): LSTM(128, 256, numLayers=2, dropout=0.2)
        (output): Linear(256, 65)
      ), 946,625 parameters"
    `);
  });

  it("trains as in the design, its state carried from step to step", async () => {
    const optimizer = new Adam(model.parameters(), { learningRate: 2e-3 });
    const losses: number[] = [];
    let state: LSTMState | undefined;
    for (let n = 0; n < 3; n++) {
      const [inputs, targets] = [tokensOf(5, 2, 65), tokensOf(5, 2, 65, 1)];
      const kept = step(() => {
        const { logits, state: next } = model.forward(inputs, state);
        const loss = crossEntropy(logits, targets);
        loss.backward();
        clipGradNorm(model.parameters(), 5);
        optimizer.step();
        return { loss, state: next };
      });
      state = kept.state;
      losses.push(await kept.loss.value());
    }
    expect(losses[0]! / Math.log(65)).toBeCloseTo(1, 2);
    expect(losses[2]).toBeLessThan(losses[0]! - 0.1);
    expect(state!.c.shape).toEqual([2, 2, 256]);
  });
});

class Small extends Module {
  readonly embedding: Embedding;
  readonly cell: RNN | GRU | LSTM;
  readonly output: Linear;

  constructor(V: number, cell: RNN | GRU | LSTM) {
    super();
    this.cell = cell;
    this.embedding = new Embedding(V, cell.options.inputSize);
    this.output = new Linear(cell.outputSize, V);
  }

  loss(inputs: Tensor, targets: Tensor): Tensor {
    const { output } = this.cell.forward(this.embedding.forward(inputs));
    return crossEntropy(this.output.forward(output), targets);
  }
}

const cells = {
  RNN: () => new RNN({ inputSize: 16, hiddenSize: 32 }),
  "RNN relu": () => new RNN({ inputSize: 16, hiddenSize: 32, nonlinearity: "relu" }),
  GRU: () => new GRU({ inputSize: 16, hiddenSize: 32 }),
  "GRU of Cho": () => new GRU({ inputSize: 16, hiddenSize: 32, resetAfter: false }),
  LSTM: () => new LSTM({ inputSize: 16, hiddenSize: 32, forgetGateBias: 1 }),
  "LSTM with all": () =>
    new LSTM({ inputSize: 16, hiddenSize: 48, numLayers: 2, projSize: 32, peepholes: true, dropout: 0.1 }),
  "deep bidirectional GRU": () =>
    new GRU({ inputSize: 16, hiddenSize: 24, numLayers: 2, bidirectional: true }),
};

describe.each(Object.entries(cells))("%s", (_, cell) => {
  it("begins at ln V and learns a small batch by heart", () => {
    manualSeed(5);
    const V = 500;
    const layer = cell();
    const model = new Small(V, layer);
    const optimizer = new Adam(model.parameters(), { learningRate: 0.01 });
    const [inputs, targets] = [tokensOf(8, 4, V), tokensOf(8, 4, V, 7)];
    const losses = Array.from({ length: layer.options.numLayers > 1 ? 250 : 80 }, () =>
      step(() => {
        const loss = model.loss(inputs, targets);
        loss.backward();
        clipGradNorm(model.parameters(), 5);
        optimizer.step();
        return loss;
      }).item(),
    );
    expect(Math.abs(losses[0]! / Math.log(V) - 1)).toBeLessThan(0.01);
    expect(losses.at(-1)).toBeLessThan(0.1);
  });
});

it("gradients of several backward passes add up to those of the batch", () => {
  manualSeed(2);
  const model = new Small(30, new GRU({ inputSize: 4, hiddenSize: 5 }));
  const [inputs, targets] = [tokensOf(6, 2, 30).toArray(), tokensOf(6, 2, 30, 3).toArray()];
  const column = (values: ArrayLike<number>, n: number) =>
    tensor(
      Int32Array.from({ length: 6 }, (_, t) => values[2 * t + n]!),
      [6, 1],
    );
  const gradients = () => model.parameters().map((p) => [...p.grad!.toArray()]);
  const clear = () => {
    for (const p of model.parameters()) p.grad!.set(new Float32Array(p.size));
  };
  step(() => model.loss(tokensOf(6, 2, 30), tokensOf(6, 2, 30, 3)).backward());
  const whole = gradients();
  clear();
  for (const n of [0, 1]) step(() => model.loss(column(inputs, n), column(targets, n)).backward());
  expect(
    relativeError(
      gradients().flat(),
      whole.flat().map((x) => 2 * x),
    ),
  ).toBeLessThan(1e-5);
});

describe("Embedding", () => {
  it("keeps the padding token at zero", () => {
    const embedding = new Embedding(4, 3, { paddingIdx: 1 });
    const optimizer = new Adam(embedding.parameters(), { learningRate: 0.1 });
    step(() => {
      const loss = crossEntropy(embedding.forward(tensor(Int32Array.of(1, 2))), tensor(Int32Array.of(0, 1)));
      loss.backward();
      optimizer.step();
    });
    expect([...embedding.weight.toArray().slice(3, 6)]).toEqual([0, 0, 0]);
    expect(String(embedding)).toMatchInlineSnapshot(`"Embedding(4, 3, paddingIdx=1), 12 parameters"`);
  });
});

describe("Dropout", () => {
  class Two extends Module {
    readonly first = new Dropout(0.5);
    readonly second = new Dropout(0.5);
  }
  const ones = tensor(new Float32Array(1000).fill(1), [10, 100]);
  const drop = (dropout: Dropout) => step(() => dropout.forward(ones)).toArray();

  it("drops in training alone, another pattern in each place, the same in the same place", () => {
    const [a, b] = [new Two().train(), new Two().train()];
    const pattern = drop(a.first);
    expect(pattern.filter((x) => x === 0).length).toBeGreaterThan(400);
    expect(new Set(pattern)).toEqual(new Set([0, 2]));
    expect(drop(a.first)).toEqual(pattern);
    expect(drop(b.first)).toEqual(pattern);
    expect(drop(a.second)).not.toEqual(pattern);
    a.eval();
    expect(drop(a.first)).toEqual(ones.toArray());
  });

  it("between layers draws another pattern for each layer, and nothing in evaluation", () => {
    manualSeed(3);
    const lstm = new LSTM({ inputSize: 4, hiddenSize: 6, numLayers: 3, dropout: 0.5 });
    const input = tensor(new Float32Array(24).fill(1), [3, 2, 4]);
    const outputs = () => step(() => lstm.forward(input).output).toArray();
    const trained = outputs();
    expect(outputs()).toEqual(trained);
    lstm.eval();
    expect(outputs()).not.toEqual(trained);
  });
});

it("LayerNorm leaves mean 0 and variance 1, then its weight and bias", () => {
  const norm = new LayerNorm(4);
  norm.weight.set([1, 2, 1, 1]);
  norm.bias!.set([0, 0, 5, 0]);
  const y = norm.forward(tensor([1, 2, 3, 4], [1, 4])).toArray();
  const unit = Math.sqrt(1.25 + 1e-5);
  const expected = [-1.5 / unit, (2 * -0.5) / unit, 0.5 / unit + 5, 1.5 / unit];
  expect(relativeError(y, expected)).toBeLessThan(1e-6);
});

it("layers refuse sizes that make no sense, and print", () => {
  expect(() => new Linear(0, 3)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: Linear: inFeatures must be a whole number from 1 to 1000000000, got 0]`,
  );
  expect(() => new Linear(3, 3, { biass: false } as object)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: Linear: biass is not known (did you mean bias?)]`,
  );
  expect(() => new Embedding(3, 3, { paddingIdx: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: Embedding: paddingIdx must be a whole number from 0 to 2, got 3]`,
  );
  expect(() => new Dropout(1)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: Dropout: p must be a number 0 or more and below 1, got 1]`,
  );
  expect(
    [new Linear(2, 3, { bias: false }), new Dropout(), new LayerNorm(3)].map(String),
  ).toMatchInlineSnapshot(`
    [
      "Linear(2, 3, bias=false), 6 parameters",
      "Dropout(0.5), 0 parameters",
      "LayerNorm(3), 6 parameters",
    ]
  `);
});
