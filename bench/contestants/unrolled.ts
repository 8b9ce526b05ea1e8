/** Ourselves, through the public API of the built package. */
import {
  Adam,
  clipGradNorm,
  crossEntropy,
  Embedding,
  GRU,
  Linear,
  LSTM,
  Module,
  manualSeed,
  matmul,
  noGrad,
  RNN,
  step,
  tensor,
} from "../../dist/index.js";
import type { ForwardRow, TrainingRow } from "../rows.ts";
import { type Step, serve, tokens, values } from "./serve.ts";

const layers = { rnn: RNN, lstm: LSTM, gru: GRU };

class Model extends Module {
  readonly embedding: Embedding;
  readonly recurrent: RNN | LSTM | GRU;
  readonly output: Linear;

  constructor({
    cell,
    vocabulary,
    inputSize,
    hiddenSize,
    numLayers,
    bidirectional,
  }: TrainingRow | ForwardRow) {
    super();
    this.embedding = new Embedding(vocabulary, inputSize);
    this.recurrent = new layers[cell]({ inputSize, hiddenSize, numLayers, bidirectional });
    this.output = new Linear(this.recurrent.outputSize, vocabulary);
  }

  forward(x: ReturnType<typeof tensor>) {
    return this.output.forward(this.recurrent.forward(this.embedding.forward(x)).output);
  }
}

function training(row: TrainingRow): Step {
  manualSeed(1);
  const { vocabulary: V, batch: N, time: T } = row;
  const model = new Model(row);
  const adam = new Adam(model.parameters(), { learningRate: 1e-3 });
  const x = tensor(tokens(T * N, V), [T, N]);
  const y = tensor(tokens(T * N, V).reverse(), [T, N]);
  return () =>
    step(() => {
      const loss = crossEntropy(model.forward(x), y);
      loss.backward();
      clipGradNorm(model.parameters(), 5);
      adam.step();
      return loss;
    }).item();
}

await serve("unrolled", (row) => {
  if (row.kind === "training") return training(row);
  if (row.kind === "forward") {
    const model = new Model(row).eval();
    const x = tensor(tokens(row.time * row.batch, row.vocabulary), [row.time, row.batch]);
    return () => noGrad(() => step(() => model.forward(x))).toArray();
  }
  if (row.kind === "streaming") {
    const { cell, hiddenSize: H, numLayers, time: T } = row;
    const layer = new layers[cell]({ inputSize: H, hiddenSize: H, numLayers }).eval();
    const stream = layer.stream();
    const frames = values(T * H);
    return () => stream.steps(frames);
  }
  const { m, n, k } = row;
  const a = tensor(values(m * k), [m, k]);
  const b = tensor(values(k * n), [k, n]);
  return () => noGrad(() => step(() => matmul(a, b)));
});
