/** What a run comes to: each figure that was aimed at, and the one that was measured. */
import { growths } from "./growth.ts";
import type { Result } from "./race.ts";
import { fastest, find, geometricMean, isResult, ofKind, type RaceRow, type Report } from "./results.ts";
import type { StreamingRow } from "./rows.ts";

export interface Figure {
  what: string;
  aim: string;
  measured: string;
  /** Undefined where there is nothing to compare. */
  reached?: boolean;
}

type Pick = (row: RaceRow) => Result | undefined;

const ours =
  (threads: number, variant?: string): Pick =>
  (row) =>
    find(row, "unrolled", { threads, ...(variant !== undefined && { variant }) });
const rival =
  (library: string, threads?: number): Pick =>
  (row) =>
    fastest(row, library, threads);
const named =
  (contestant: string): Pick =>
  ({ results }) =>
    results.filter(isResult).find((r) => r.contestant === contestant);

/** How many times as long `slow` takes as `fast`, in each row that both have. */
function ratios(rows: readonly RaceRow[], slow: Pick, fast: Pick): { name: string; ratio: number }[] {
  return rows.flatMap((row) => {
    const [a, b] = [slow(row), fast(row)];
    return a && b ? [{ name: row.row.name, ratio: a.milliseconds / b.milliseconds }] : [];
  });
}

const times = (ratio: number) => `${ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(2)}×`;

/** A figure whose geometric mean is to be `mean` at least, and whose smallest row `least`. */
function compare(
  what: string,
  rows: readonly RaceRow[],
  [slow, fast]: [Pick, Pick],
  { mean, least }: { mean?: number; least?: number },
): Figure {
  const found = ratios(rows, slow, fast);
  const aim = [mean && `mean ≥ ${mean}×`, least && `each row ≥ ${least}×`].filter(Boolean).join(", ");
  if (found.length === 0) return { what, aim, measured: "not raced" };
  const average = geometricMean(found.map(({ ratio }) => ratio));
  const smallest = found.reduce((a, b) => (a.ratio <= b.ratio ? a : b));
  const measured =
    found.length === 1
      ? times(average)
      : `mean ${times(average)}, smallest ${times(smallest.ratio)} (${smallest.name})`;
  if (!aim) return { what, aim, measured };
  return { what, aim, measured, reached: average >= (mean ?? 0) && smallest.ratio >= (least ?? 0) };
}

function memory(rows: readonly RaceRow[]): Figure {
  const pairs = rows.flatMap((row) => {
    const [a, b] = [ours(1)(row), rival("PyTorch", 1)(row)];
    return a && b ? [{ name: row.row.name, ratio: a.peakRss / b.peakRss }] : [];
  });
  const above = pairs.filter(({ ratio }) => ratio > 1);
  const list = above.map(({ name, ratio }) => `${name} ${times(ratio)}`).join(", ");
  return {
    what: "largest resident set against PyTorch's, 1 thread, all rows",
    aim: "none higher",
    measured: `${above.length} of ${pairs.length} higher${list && `: ${list}`}`,
    ...(pairs.length > 0 && { reached: above.length === 0 }),
  };
}

function linearity(report: Report): Figure[] {
  return growths(report)
    .filter(({ degree }) => degree === 1)
    .flatMap(({ axis, curves }) => {
      const own = curves.find(({ name }) => name === "unrolled, 1 thread");
      if (!own?.fit) return [];
      const { r2 } = own.fit;
      return [
        {
          what: `time grows linearly in ${axis}`,
          aim: "R² ≥ 0.99",
          measured: `R² ${r2.toFixed(4)}`,
          reached: r2 >= 0.99,
        },
      ];
    });
}

export function summary(report: Report): Figure[] {
  const training = ofKind(report, "training");
  const streaming = ofKind(report, "streaming");
  const steps = (time: number) => streaming.filter(({ row }) => (row as StreamingRow).time === time);
  const large = streaming.filter(({ row }) => (row as StreamingRow).hiddenSize >= 512);
  const gemm = ofKind(report, "gemm");
  const torch = rival("PyTorch");
  return [
    compare(
      "training, 1 thread, against PyTorch's fastest setting of 1 thread",
      training,
      [rival("PyTorch", 1), ours(1)],
      { mean: 1.4, least: 1.1 },
    ),
    compare(
      "the same with its OpenBLAS held to 256-bit vectors, as ours are (Haswell)",
      training,
      [named("PyTorch, 1 thread, Haswell"), ours(1)],
      { mean: 1.4, least: 1.1 },
    ),
    compare("training, 2 threads, against PyTorch's fastest setting of all", training, [torch, ours(2)], {
      mean: 2.2,
    }),
    compare("training, 2 threads against 1", training, [ours(1), ours(2)], {}),
    compare(
      "training of tasks, 1 thread, against PyTorch's fastest setting of 1 thread",
      ofKind(report, "task"),
      [rival("PyTorch", 1), ours(1)],
      { least: 1.3 },
    ),
    compare(
      "training of tasks, 2 threads, against PyTorch's fastest setting of all",
      ofKind(report, "task"),
      [torch, ours(2)],
      { least: 1.3 },
    ),
    compare(
      "one step a call, against onnxruntime's fastest setting",
      steps(1),
      [rival("onnxruntime"), fastestOurs],
      { mean: 2 },
    ),
    compare(
      "100 steps a call, against onnxruntime's fastest setting",
      steps(100),
      [rival("onnxruntime"), fastestOurs],
      { mean: 1 },
    ),
    compare("one step a call, against PyTorch's fastest setting", steps(1), [torch, fastestOurs], {
      mean: 5,
    }),
    compare("100 steps a call, against PyTorch's fastest setting", steps(100), [torch, fastestOurs], {}),
    compare("int8 against our own float32, H ≥ 512, 1 thread", large, [ours(1), ours(1, "int8 weights")], {
      mean: 2,
    }),
    ...[1, 2].flatMap((threads) => {
      const own = threads === 1 ? "1 thread" : "2 threads";
      const forward = ofKind(report, "forward");
      return [
        compare(
          `training step, ${own}, against TensorFlow.js cpu`,
          training,
          [rival("TensorFlow.js cpu"), ours(threads)],
          { mean: 100 },
        ),
        compare(`training step, ${own}, against brain.js`, training, [rival("brain.js"), ours(threads)], {
          mean: 100,
        }),
        compare(
          `forward, ${own}, against TensorFlow.js wasm`,
          forward,
          [rival("TensorFlow.js wasm"), ours(threads)],
          {
            mean: 15,
          },
        ),
      ];
    }),
    compare(
      "matrix products, against OpenBLAS's fastest setting of 1 thread",
      gemm,
      [rival("PyTorch", 1), ours(1)],
      { least: 1 },
    ),
    compare(
      "the same with its OpenBLAS held to 256-bit vectors (Haswell)",
      gemm,
      [named("PyTorch, 1 thread, Haswell"), ours(1)],
      { least: 1 },
    ),
    compare(
      "other kernels, against PyTorch's fastest setting of 1 thread",
      ofKind(report, "kernel"),
      [rival("PyTorch", 1), ours(1)],
      {},
    ),
    memory(report.rows),
    ...linearity(report),
    ...["no revectoriser", "Node 22"].flatMap((variant) => [
      compare(`what training loses: ${variant}`, training, [ours(1, variant), ours(1)], {}),
      compare(`what streaming loses: ${variant}`, streaming, [ours(1, variant), ours(1)], {}),
    ]),
  ];
}

const fastestOurs = rival("unrolled");
