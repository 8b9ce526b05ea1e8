import { readFileSync } from "node:fs";
import { step } from "../../../src/autograd/step.ts";
import { sizeOf } from "../../../src/tensor/shape.ts";
import { type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { expectClose } from "../../../src/testing/check-op.ts";
import { withReference } from "../../../src/testing/reference-backend.ts";

/** The files of test/golden, which the scripts beside them wrote with PyTorch in float64. */
export interface GoldenCase<Options = Record<string, never>> {
  name: string;
  options: Options;
  inputs: Record<string, InputSpec>;
  outputs: Record<string, number[]>;
  gradients: Record<string, number[]>;
}

type InputSpec = { shape: number[]; seed: number; scale: number } | { shape: number[]; integers: number[] };

export function readGolden<Options>(name: string): GoldenCase<Options>[] {
  const file = new URL(`../../golden/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { cases: GoldenCase<Options>[] }).cases;
}

/** The numbers that golden.py calls `values`: in [−scale, scale) and exact in float32. */
export function formula(size: number, seed: number, scale = 1): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => {
    const word = Math.imul(Math.imul(i + 1, i + seed), 0x9e3779b1) >>> 20;
    return (word / 2048 - 1) * scale;
  });
}

/** What a computation is given: its inputs, float32 or int32; the first get gradients. */
export type Tensors = Record<string, Tensor>;

/** Runs the computation on the reference, to 1e-9 of PyTorch's, and on the kernels, to 1e-5 of the largest magnitude. */
export function checkGolden<Options>(
  golden: GoldenCase<Options>,
  run: (inputs: Tensors, options: Options) => Tensors,
): void {
  withReference(() => compare("reference", golden, run, 1e-9));
  compare("kernels", golden, run, 1e-5);
}

function compare<Options>(
  what: string,
  golden: GoldenCase<Options>,
  run: (inputs: Tensors, options: Options) => Tensors,
  tolerance: number,
): void {
  step(() => {
    const inputs: Tensors = {};
    for (const [name, spec] of Object.entries(golden.inputs)) {
      inputs[name] =
        "integers" in spec
          ? tensor(Int32Array.from(spec.integers), spec.shape)
          : tensor(formula(sizeOf(spec.shape), spec.seed, spec.scale), spec.shape, { requiresGrad: true });
    }
    const outputs = run(inputs, golden.options);
    const names = Object.keys(golden.outputs);
    for (const name of names) {
      const values = outputs[name]!.toArray();
      expectClose(`${golden.name}: ${what}: ${name}`, values, golden.outputs[name]!, tolerance);
    }
    outputs[names[0]!]!.storage.scope!.backwardFrom(
      names.map((name, index) => {
        const { storage, size } = outputs[name]!;
        return { storage, grad: formula(size, 5 + 10 * index) };
      }),
    );
    for (const [name, values] of Object.entries(golden.gradients)) {
      const grad = inputs[name]!.grad?.toArray() ?? [];
      expectClose(`${golden.name}: ${what}: gradient of ${name}`, grad, values, tolerance);
    }
  });
}
