import { type Tensor, tensor } from "../tensor/tensor.ts";

/** Token sequences as columns [T, N], filled up after their ends; T is the longest one's length, if nothing else is said. */
export function padded(
  sequences: readonly Int32Array[],
  filler: number,
  T = Math.max(1, ...sequences.map(({ length }) => length)),
): Tensor {
  const N = sequences.length;
  const tokens = new Int32Array(T * N).fill(filler);
  for (const [n, sequence] of sequences.entries()) {
    for (let t = 0; t < sequence.length; t++) tokens[t * N + n] = sequence[t]!;
  }
  return tensor(tokens, [T, N]);
}
