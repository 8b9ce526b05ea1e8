import { NO_TARGET } from "../ops/reduction.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { BOUNDARY } from "./decoder-steps.ts";

/**
 * What a decoder reads and should say of sequences [T, N], of which n has lengths[n] tokens, its end among them: before each token
 * the one before, and before the first the boundary.
 */
export function teacherForced(
  sequences: Tensor,
  lengths: readonly number[],
): { inputs: Int32Array; targets: Tensor } {
  const [T, N] = sequences.shape as [number, number];
  const tokens = sequences.toArray();
  const inputs = new Int32Array(T * N).fill(BOUNDARY);
  const targets = new Int32Array(T * N).fill(NO_TARGET);
  for (let n = 0; n < N; n++) {
    for (let t = 0; t < lengths[n]!; t++) {
      targets[t * N + n] = tokens[t * N + n]!;
      if (t > 0) inputs[t * N + n] = tokens[(t - 1) * N + n]!;
    }
  }
  return { inputs, targets: tensor(targets, [T, N]) };
}
