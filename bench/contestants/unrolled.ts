/** Ourselves, through the public API of the built package. */
import {
  Adam,
  clipGradNorm,
  crossEntropy,
  ctcLoss,
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
  type Tensor,
  tanh,
  tensor,
} from "../../dist/index.js";
import { SpeechNetwork } from "../../dist/tasks/speech/network.js";
import { pairLoss } from "../../dist/tasks/translation/measure.js";
import { TranslationNetwork } from "../../dist/tasks/translation/network.js";
import type {
  ForwardRow,
  GemmRow,
  GrowthRow,
  KernelRow,
  Row,
  StreamingRow,
  TaskRow,
  TrainingRow,
} from "../rows.ts";
import { type Step, serve, tokens, values } from "./serve.ts";

/** Of a speech row: numbers of a frame, three times 13 of four frames, and letters of an utterance. */
const FEATURES = 156;
const LETTERS = 24;

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

/** The part of a target that all tokens share, in the translator's loss. */
const SMOOTHING = 0.1;

/** The networks and losses of the tasks themselves. */
function task(row: TaskRow): Step {
  manualSeed(1);
  const { batch: N, time: T, vocabulary: V, hiddenSize, dropout } = row;
  const lengths = new Array<number>(N).fill(T);
  const train = (model: Module, lossOf: () => Tensor): Step => {
    const adam = new Adam(model.parameters(), { learningRate: 1e-3 });
    return () =>
      step(() => {
        const loss = lossOf();
        loss.backward();
        clipGradNorm(model.parameters(), 5);
        adam.step();
        return loss;
      }).item();
  };
  if (row.task === "translation") {
    const network = new TranslationNetwork(
      {
        ...{ cell: "lstm", sourceVocabulary: V, targetVocabulary: V, embeddingSize: hiddenSize, hiddenSize },
        ...{ numLayers: 1, bidirectional: true, attention: "general", decoder: "plain", dropout },
        tieWeights: true,
      },
      { joint: true },
    );
    const source = tensor(tokens(T * N, V), [T, N]);
    const target = tensor(tokens(T * N, V).reverse(), [T, N]);
    const pairs = lengths.map((_, n) => n);
    const batch = { source, target, sourceLengths: lengths, targetLengths: lengths, pairs };
    return train(network, () => pairLoss(network, batch, { labelSmoothing: SMOOTHING }).loss);
  }
  const network = new SpeechNetwork({
    ...{ inputSize: FEATURES, convolution: undefined, hiddenSize, numLayers: 3, bidirectional: true },
    ...{ layerNorm: false, dropout, classes: V },
  });
  const windows = tensor(values(T * N * FEATURES), [T, N, FEATURES]);
  const of = (count: number) => tensor(Int32Array.from({ length: N }, () => count));
  const targets = tensor(
    tokens(N * LETTERS, V - 1).map((token) => token + 1),
    [N, LETTERS],
  );
  return train(network, () => ctcLoss(network.forward(windows), targets, of(T), of(LETTERS)));
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
    case "task":
      return task(row);
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
