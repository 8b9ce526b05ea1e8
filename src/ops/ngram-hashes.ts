import { directKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { use } from "../engine/engine.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(directKernels);

export const ngramHashesOp: Op<"tokens" | "before", "hashes" | "next", never, { orders: number }> = {
  name: "ngramHashes",
  infer({ tokens, before }, { orders }) {
    expectShape("ngramHashes", "tokens", tokens, ["time", "batch"]);
    expectShape("ngramHashes", "before", before, ["tokens before", tokens[1]!]);
    return { outputs: { hashes: { shape: [...tokens, orders], dtype: "int32" }, next: before }, saved: {} };
  },
  forward({ shapes, inputs, outputs }, { orders }) {
    const [T, N] = shapes.tokens as [number, number];
    const K = shapes.before[0]!;
    run("ngramHashes", { ...inputs, ...outputs, T, N, K, orders }, N);
  },
};

/**
 * What the direct connections find an n-gram's weights by: for each token of int32 [T, N] and each order k from 0 a hash
 * of the k tokens that end there; 0 where there are not so many. `before` [K, N] has the tokens that came before, as
 * float32 like all state, −1 where there were none; `next` is the same for what comes next.
 */
export function ngramHashes(
  tokens: Tensor,
  before: Tensor,
  orders: number,
): { hashes: Tensor; next: Tensor } {
  expectDtype("ngramHashes", "tokens", tokens, "int32");
  expectDtype("ngramHashes", "before", before, "float32");
  return apply(ngramHashesOp, { tokens, before }, { orders });
}
