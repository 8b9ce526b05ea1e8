import type * as v from "valibot";
import { noGrad, step } from "../autograd/step.ts";
import { getEngine } from "../engine/engine.ts";
import { kernelDigest } from "../engine/generated/abi.ts";
import { sha256 } from "../io/digest.ts";
import { linear } from "../ops/linear.ts";
import { tanh } from "../ops/pointwise.ts";
import { softmax } from "../ops/softmax.ts";
import { recordOf, text } from "../options.ts";
import { tensor } from "../tensor/tensor.ts";

/** What the bits of a result depend on besides the seed: the same here and there, and a training gives the same bits. */
export const numericsSchema = recordOf({
  /** Which build of the kernels runs. */
  simd: text(),
  /** Which kernels they are. */
  kernels: text(),
  /** What a small computation gives: whether multiply and add are fused, and what JavaScript's own functions give. */
  results: text(),
});

export type Numerics = v.InferOutput<typeof numericsSchema>;

const numbers = (rows: number, columns: number) =>
  tensor(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.fround((((i * 37) % 101) - 50) / 77)),
    [rows, columns],
  );

/** What this machine's results are known by. */
export function numerics(): Numerics {
  const products = step(() => noGrad(() => tanh(linear(numbers(5, 64), numbers(21, 64)))));
  const shares = step(() => noGrad(() => softmax(products)));
  const functions = new Float64Array([Math.cos(0.7), Math.log(0.7), Math.exp(0.7), 0.97 ** 13]);
  const results = sha256(
    [products.toArray(), shares.toArray(), functions].map((values) => new Uint8Array(values.slice().buffer)),
  );
  return { simd: getEngine().build, kernels: kernelDigest, results: results.slice(0, 16) };
}

/** In which way results may differ from those of a machine before; nothing if they do not. */
export function numericsDifferences(before: Numerics, now = numerics()): string[] {
  const differences: string[] = [];
  if (before.simd !== now.simd) differences.push(`the SIMD build was ${before.simd} and is ${now.simd}`);
  if (before.kernels !== now.kernels) differences.push("the kernels are of another version");
  if (before.results !== now.results) differences.push("a small computation gives other bits");
  return differences;
}
