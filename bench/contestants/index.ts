import { join } from "node:path";
import type { Contestant } from "../race.ts";
import type { Row } from "../rows.ts";

const node = process.execPath;
const file = (name: string) => join(import.meta.dirname, name);
const kind =
  (...kinds: Row["kind"][]) =>
  (row: Row) =>
    kinds.includes(row.kind);

function unrolled(name: string, threads: number, environment: Record<string, string> = {}): Contestant {
  return {
    name,
    command: node,
    arguments: [file("unrolled.ts")],
    environment: { UNROLLED_THREADS: String(threads), ...environment },
    runs: () => true,
  };
}

/** Debian's PyTorch. One BLAS thread; or its best setting, which is two threads for the large products alone. */
function pytorch(name: string, threads: number): Contestant {
  return {
    name,
    command: "/usr/bin/python3",
    arguments: [file("pytorch.py")],
    environment: { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) },
    runs: kind("training", "streaming", "gemm"),
  };
}

/** The reference of every ratio comes first. */
export const contestants: readonly Contestant[] = [
  unrolled("unrolled, 1 thread", 1),
  unrolled("unrolled, 2 threads", 2),
  unrolled("unrolled, 1 thread, no revectoriser", 1, { UNROLLED_REVECTORIZE: "0" }),
  pytorch("PyTorch, 1 thread", 1),
  pytorch("PyTorch, 2 threads", 2),
  {
    name: "onnxruntime",
    command: node,
    arguments: [file("onnxruntime.ts")],
    runs: kind("streaming"),
  },
  {
    name: "TensorFlow.js cpu",
    command: node,
    arguments: [file("tfjs.ts")],
    environment: { TFJS_BACKEND: "cpu" },
    runs: (row) => row.kind === "training" && row.name.startsWith("LSTM 2×128"),
    once: true,
  },
  {
    name: "TensorFlow.js wasm",
    command: node,
    arguments: [file("tfjs.ts")],
    environment: { TFJS_BACKEND: "wasm" },
    runs: kind("forward"),
  },
  {
    name: "brain.js",
    command: node,
    arguments: [file("brain.ts")],
    runs: (row) => row.kind === "training" && row.name.startsWith("LSTM 2×128"),
    once: true,
  },
  { name: "jax-js", command: node, arguments: [file("jax.ts")], runs: kind("gemm") },
];
