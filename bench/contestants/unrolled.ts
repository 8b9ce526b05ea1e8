/** Ourselves, through the public API of the built package. */
import {
  Adam,
  clipGradNorm,
  crossEntropy,
  Embedding,
  embedding,
  GRU,
  Linear,
  LSTM,
  Module,
  manualSeed,
  matmul,
  noGrad,
  parameter,
  RNN,
  relu,
  sigmoid,
  step,
  sum,
  tanh,
  tensor,
} from "../../dist/index.js";
import type { ForwardRow, GemmRow, GrowthRow, KernelRow, Row, StreamingRow, TrainingRow } from "../rows.ts";
import { type Step, serve, tokens, values } from "./serve.ts";

const layers = { rnn: RNN, lstm: LSTM, gru: GRU };

class Model extends Module {
  readonly embedding: Embedding;
  readonly recurrent: RNN | LSTM | GRU;
  readonly output: Linear;

  constructor({
    cell,
    vocabulary,
    hiddenSize,
    numLayers,
    bidirectional,
  }: TrainingRow | GrowthRow | ForwardRow) {
    super();
    this.embedding = new Embedding(vocabulary, hiddenSize);
    this.recurrent = new layers[cell]({ inputSize: hiddenSize, hiddenSize, numLayers, bidirectional });
    this.output = new Linear(this.recurrent.outputSize, vocabulary);
  }

  forward(x: ReturnType<typeof tensor>) {
    return this.output.forward(this.recurrent.forward(this.embedding.forward(x)).output);
  }
}

function training(row: TrainingRow | GrowthRow): Step {
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

function forward(row: ForwardRow): Step {
  const model = new Model(row).eval();
  const x = tensor(tokens(row.time * row.batch, row.vocabulary), [row.time, row.batch]);
  return () => noGrad(() => step(() => model.forward(x))).toArray();
}

function streaming({ cell, hiddenSize: H, numLayers, time: T }: StreamingRow): Step {
  const layer = new layers[cell]({ inputSize: H, hiddenSize: H, numLayers }).eval();
  const stream = layer.stream({ weights: process.env.STREAM_WEIGHTS === "int8" ? "int8" : "float32" });
  const frames = values(T * H);
  return T === 1 ? () => stream.step(frames) : () => stream.steps(frames);
}

/** Parameters stay where the kernels compute, as tensors of a model do; what comes out stays there too. */
function inPlace(f: () => unknown): Step {
  return () => step(() => void f());
}

function gemm({ m, n, k }: GemmRow): Step {
  const a = parameter(values(m * k), [m, k]);
  const b = parameter(values(k * n), [k, n]);
  return inPlace(() => noGrad(() => matmul(a, b)));
}

function kernel({ op, rows, columns, vocabulary = 0 }: KernelRow): Step {
  if (op === "embedding") {
    const weight = parameter(values(vocabulary * columns), [vocabulary, columns]);
    const ids = tensor(tokens(rows, vocabulary), [rows]);
    return inPlace(() => sum(embedding(ids, weight)).backward());
  }
  const x = parameter(values(rows * columns), [rows, columns]);
  if (op === "crossEntropy") {
    const targets = tensor(tokens(rows, columns), [rows]);
    return inPlace(() => crossEntropy(x, targets).backward());
  }
  const activation = { tanh, sigmoid, relu }[op];
  return inPlace(() => noGrad(() => activation(x)));
}

function build(row: Row): Step {
  switch (row.kind) {
    case "training":
    case "growth":
      return training(row);
    case "forward":
      return forward(row);
    case "streaming":
      return streaming(row);
    case "gemm":
      return gemm(row);
    case "kernel":
      return kernel(row);
  }
}

await serve(`unrolled on Node ${process.versions.node}`, build);
