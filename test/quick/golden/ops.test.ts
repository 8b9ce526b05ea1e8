import { describe, it } from "vitest";
import { classCrossEntropy } from "../../../src/ops/class-cross-entropy.ts";
import { crossEntropy, embedding, layerNorm, linear, logSoftmax, softmax } from "../../../src/ops/index.ts";
import { wordClasses } from "../../../src/ops/word-classes.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { checkGolden, readGolden, type Tensors } from "./golden.ts";

interface Options {
  op: keyof typeof ops;
  eps?: number;
  reduction?: "mean" | "sum" | "none";
  labelSmoothing?: number;
  ignoreIndex?: number;
  first?: number[];
}

const ops: Record<string, (inputs: Tensors, options: Options) => Tensor> = {
  linear: ({ x, weight, bias }) => linear(x!, weight!, bias),
  embedding: ({ tokens, weight }) => embedding(tokens!, weight!),
  layerNorm: ({ x, weight, bias }, { eps }) => layerNorm(x!, weight, bias, eps),
  softmax: ({ x }) => softmax(x!),
  logSoftmax: ({ x }) => logSoftmax(x!),
  crossEntropy: ({ logits, targets }, { op: _, eps: __, ...options }) =>
    crossEntropy(logits!, targets!, options),
  classCrossEntropy: ({ targets, ...inputs }, { first, reduction = "mean" }) =>
    classCrossEntropy(inputs as never, targets!, wordClasses(first!, inputs.bias!.size), { reduction }),
};

describe("agrees with PyTorch", () => {
  for (const golden of readGolden<Options>("ops")) {
    it(golden.name, () =>
      checkGolden(golden, (inputs, options) => ({ y: ops[options.op]!(inputs, options) })),
    );
  }
});
