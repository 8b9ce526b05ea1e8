/** One WebAssembly module per family, compiled on first use. `core` must be first: it holds the thread pool. */
export const families = [
  "core",
  "memory",
  "pointwise",
  "reduce",
  "norm",
  "dropout",
  "softmax",
  "search",
  "ctc",
  "classes",
  "direct",
  "shape",
  "linear",
  "sequence",
  "rnn",
  "gru",
  "lstm",
  "scan",
  "optimizer",
  "int8",
  "conv",
] as const;

/** Files a family re-exports kernels from, beside its own. */
export const helpers: Partial<Record<(typeof families)[number], readonly string[]>> = {
  rnn: ["omega"],
  conv: ["pool", "batch-norm"],
};
