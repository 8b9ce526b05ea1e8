import { add, mul, sub } from "../../ops/binary.ts";
import { square } from "../../ops/pointwise.ts";
import { mean } from "../../ops/reduce.ts";
import { slice } from "../../ops/slice.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * What is minimised beside the loss (Merity et al. 2017, §4.6): AR, α times the mean square of what the output reads, the
 * last layer's h after dropout; and TAR, β times the mean square of h_{t+1} − h_t, before it. Both [T, N, H].
 */
export function activationPenalty(
  hidden: Tensor,
  dropped: Tensor,
  { ar = 0, tar = 0 }: { ar?: number | undefined; tar?: number | undefined },
): Tensor | undefined {
  const T = hidden.shape[0]!;
  const parts: Tensor[] = [];
  if (ar > 0) parts.push(mul(mean(square(dropped)), ar));
  if (tar > 0 && T > 1) {
    parts.push(mul(mean(square(sub(slice(hidden, 0, 1), slice(hidden, 0, 0, T - 1)))), tar));
  }
  const [first, second] = parts;
  return first && second ? add(first, second) : first;
}
