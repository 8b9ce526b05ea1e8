/** What is raced. Letters as everywhere: T time, N batch, H hidden, I input, V vocabulary, L layers. */
export type Cell = "rnn" | "lstm" | "gru";

export interface TrainingRow {
  kind: "training";
  name: string;
  cell: Cell;
  vocabulary: number;
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  bidirectional: boolean;
  batch: number;
  time: number;
}

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

/** The network of a training row, forward alone, for the rival that cannot train it. */
export type ForwardRow = Omit<TrainingRow, "kind"> & { kind: "forward" };

export type Row = TrainingRow | ForwardRow | StreamingRow | GemmRow;

function training(
  cell: Cell,
  numLayers: number,
  hiddenSize: number,
  vocabulary: number,
  batch: number,
  time: number,
  bidirectional = false,
): TrainingRow {
  const layers = numLayers > 1 ? `${numLayers}×` : "";
  const name = `${bidirectional ? "Bi" : ""}${cell.toUpperCase()} ${layers}${hiddenSize} V${vocabulary} N${batch} T${time}`;
  return {
    kind: "training",
    name,
    cell,
    vocabulary,
    inputSize: hiddenSize,
    hiddenSize,
    numLayers,
    bidirectional,
    batch,
    time,
  };
}

function streaming(cell: Cell, numLayers: number, hiddenSize: number, time: number): StreamingRow {
  const name = `${cell.toUpperCase()} ${numLayers}×${hiddenSize}, ${time} step${time > 1 ? "s" : ""}`;
  return { kind: "streaming", name, cell, hiddenSize, numLayers, time };
}

function gemm(m: number, k: number, n: number): GemmRow {
  return { kind: "gemm", name: `GEMM ${m}×${k}×${n}`, m, k, n };
}

/** Forward, loss, backward, clip by norm 5, Adam. */
const trainingRows = [
  training("rnn", 1, 128, 65, 50, 50),
  training("lstm", 2, 128, 65, 50, 50),
  training("lstm", 2, 200, 10_000, 20, 20),
  training("lstm", 2, 256, 65, 64, 64),
  training("gru", 1, 512, 65, 64, 64),
  training("lstm", 2, 650, 10_000, 20, 35),
  training("lstm", 3, 256, 32, 16, 200, true),
];

/** Batch 1, inference. */
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

const forwardRow: ForwardRow = {
  ...trainingRows[1]!,
  kind: "forward",
  name: `${trainingRows[1]!.name}, forward`,
};

export const rows: readonly Row[] = [...trainingRows, forwardRow, ...streamingRows, ...gemmRows];
