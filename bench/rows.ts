/** What is raced. Letters as everywhere: T time, N batch, H hidden, I input, V vocabulary, L layers. */
export type Cell = "rnn" | "lstm" | "gru";

/** A size that grows while the others stay. */
export type Axis = "T" | "N" | "H" | "V";

interface Network {
  cell: Cell;
  numLayers: number;
  /** Of the embedding as well. */
  hiddenSize: number;
  vocabulary: number;
  batch: number;
  time: number;
  bidirectional: boolean;
}

/** Forward, loss, backward, clip by norm 5, Adam. */
export interface TrainingRow extends Network {
  kind: "training";
  name: string;
}

/** A training step of one of several sizes, to see how the cost grows. */
export interface GrowthRow extends Network {
  kind: "growth";
  name: string;
  axis: Axis;
  size: number;
}

/** The network of a training row, forward alone, for the rival that cannot train it. */
export interface ForwardRow extends Network {
  kind: "forward";
  name: string;
}

/** A training step of a task's network, as its recipe trains it. */
export interface TaskRow {
  kind: "task";
  name: string;
  task: "translation" | "speech";
  batch: number;
  /** Tokens of the source and of the target, or frames of the recording. */
  time: number;
  vocabulary: number;
  hiddenSize: number;
  dropout: number;
}

/** Batch 1, inference. */
export interface StreamingRow {
  kind: "streaming";
  name: string;
  cell: Cell;
  hiddenSize: number;
  numLayers: number;
  /** Steps in one call: 1, or a whole sequence. */
  time: number;
}

export interface GemmRow {
  kind: "gemm";
  name: string;
  m: number;
  n: number;
  k: number;
}

/** One op: an activation of rows × columns forward; an embedding or a loss forward and backward. */
export interface KernelRow {
  kind: "kernel";
  name: string;
  op: "tanh" | "sigmoid" | "relu" | "embedding" | "crossEntropy";
  rows: number;
  columns: number;
  /** Of an embedding: rows of the table. */
  vocabulary?: number;
}

export type Row = TrainingRow | TaskRow | GrowthRow | ForwardRow | StreamingRow | GemmRow | KernelRow;
export type Kind = Row["kind"];

/** Seconds that each contestant is timed for in a round, as a part of --seconds. */
export const share: Record<Kind, number> = {
  training: 1,
  task: 1,
  forward: 1,
  growth: 0.5,
  streaming: 0.3,
  gemm: 0.3,
  kernel: 0.3,
};

function nameOf({ cell, numLayers, hiddenSize, vocabulary, batch, time, bidirectional }: Network): string {
  const layers = numLayers > 1 ? `${numLayers}×` : "";
  const kind = `${bidirectional ? "Bi" : ""}${cell.toUpperCase()}`;
  return `${kind} ${layers}${hiddenSize} V${vocabulary} N${batch} T${time}`;
}

function training(given: Omit<Network, "bidirectional"> & { bidirectional?: boolean }): TrainingRow {
  const network = { bidirectional: false, ...given };
  return { kind: "training", name: nameOf(network), ...network };
}

function growth(axis: Axis, sizes: readonly number[], base: Omit<Network, "bidirectional">): GrowthRow[] {
  const field = { T: "time", N: "batch", H: "hiddenSize", V: "vocabulary" } as const;
  return sizes.map((size) => {
    const network = { bidirectional: false, ...base, [field[axis]]: size };
    return { kind: "growth", name: `${axis} = ${size} of ${nameOf(network)}`, axis, size, ...network };
  });
}

function streaming(cell: Cell, numLayers: number, hiddenSize: number, time: number): StreamingRow {
  const name = `${cell.toUpperCase()} ${numLayers}×${hiddenSize}, ${time} step${time > 1 ? "s" : ""}`;
  return { kind: "streaming", name, cell, hiddenSize, numLayers, time };
}

function gemm(m: number, k: number, n: number): GemmRow {
  return { kind: "gemm", name: `GEMM ${m}×${k}×${n}`, m, k, n };
}

const trainingRows = [
  training({ cell: "rnn", numLayers: 1, hiddenSize: 128, vocabulary: 65, batch: 50, time: 50 }),
  training({ cell: "lstm", numLayers: 2, hiddenSize: 128, vocabulary: 65, batch: 50, time: 50 }),
  training({ cell: "lstm", numLayers: 2, hiddenSize: 200, vocabulary: 10_000, batch: 20, time: 20 }),
  training({ cell: "lstm", numLayers: 2, hiddenSize: 256, vocabulary: 65, batch: 64, time: 64 }),
  training({ cell: "gru", numLayers: 1, hiddenSize: 512, vocabulary: 65, batch: 64, time: 64 }),
  training({ cell: "lstm", numLayers: 2, hiddenSize: 650, vocabulary: 10_000, batch: 20, time: 35 }),
  training({
    ...{ cell: "lstm", numLayers: 3, hiddenSize: 256, vocabulary: 32, batch: 16, time: 200 },
    bidirectional: true,
  }),
];

/** Of recipes translation/bahdanau-2015 and speech/graves-2014-an4. */
const taskRows: TaskRow[] = [
  {
    ...{ kind: "task", task: "translation", hiddenSize: 256, vocabulary: 5000, dropout: 0.3 },
    ...{ name: "translation: BiLSTM 256, LSTM 256 with attention, V5000 N96 T16", batch: 96, time: 16 },
  },
  {
    ...{ kind: "task", task: "speech", hiddenSize: 128, vocabulary: 30, dropout: 0.3 },
    ...{ name: "speech: BiLSTM 3×128, CTC, V30 N8 T110", batch: 8, time: 110 },
  },
];

const forwardRow: ForwardRow = {
  ...trainingRows[1]!,
  kind: "forward",
  name: `${trainingRows[1]!.name}, forward`,
};

const streamingRows = (["rnn", "gru", "lstm"] as const).flatMap((cell) =>
  [1, 100].flatMap((time) => [
    streaming(cell, 2, 128, time),
    streaming(cell, 2, 512, time),
    streaming(cell, 1, 1024, time),
  ]),
);

/** The products of the training rows: input projection, recurrence, output layer, weight gradient. */
const gemmRows = [
  gemm(2500, 128, 512),
  gemm(50, 128, 512),
  gemm(512, 2500, 128),
  gemm(400, 200, 10_000),
  gemm(4096, 256, 1024),
  gemm(64, 256, 1024),
  gemm(64, 512, 1536),
  gemm(700, 650, 2600),
  gemm(20, 650, 2600),
  gemm(3200, 512, 1024),
];

const kernelRows: KernelRow[] = [
  ...(["tanh", "sigmoid", "relu"] as const).map(
    (op): KernelRow => ({ kind: "kernel", name: `${op} 2500×128`, op, rows: 2500, columns: 128 }),
  ),
  ...[10_000, 100_000].flatMap((vocabulary): KernelRow[] => [
    {
      kind: "kernel",
      name: `embedding V${vocabulary}×256, 700 tokens, forward and backward`,
      op: "embedding",
      rows: 700,
      columns: 256,
      vocabulary,
    },
    {
      kind: "kernel",
      name: `softmax and cross-entropy V${vocabulary}, 160 rows, forward and backward`,
      op: "crossEntropy",
      rows: 160,
      columns: vocabulary,
    },
  ]),
];

const small = { cell: "lstm", numLayers: 1, hiddenSize: 128, vocabulary: 65, batch: 32, time: 50 } as const;

const growthRows = [
  ...growth("T", [25, 50, 100, 200, 400, 800, 1600], small),
  ...growth("N", [1, 4, 16, 64, 128, 256], small),
  ...growth("H", [64, 128, 256, 512, 1024], small),
  ...growth("V", [1000, 5000, 20_000, 50_000, 100_000, 200_000], { ...small, batch: 8, time: 20 }),
];

export const rows: readonly Row[] = [
  ...trainingRows,
  ...taskRows,
  forwardRow,
  ...streamingRows,
  ...gemmRows,
  ...kernelRows,
  ...growthRows,
];
