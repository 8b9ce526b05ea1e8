import { describe, it } from "vitest";
import { classCrossEntropy } from "../../../src/ops/class-cross-entropy.ts";
import {
  avgPool2d,
  batchNorm,
  conv2d,
  crossEntropy,
  embedding,
  layerNorm,
  linear,
  logSoftmax,
  maxPool2d,
  type Pair,
  softmax,
} from "../../../src/ops/index.ts";
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
  kernel?: Pair;
  stride?: Pair;
  padding?: Pair;
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
  conv2d: ({ x, weight, bias }, { stride = 1, padding = 0 }) =>
    conv2d(x!, weight!, bias, { stride, padding }),
  maxPool2d: ({ x }, { kernel, stride = 1, padding = 0 }) => maxPool2d(x!, kernel!, { stride, padding }),
  avgPool2d: ({ x }, { kernel, stride = 1, padding = 0 }) => avgPool2d(x!, kernel!, { stride, padding }),
  batchNorm: ({ x, weight, bias }, { eps }) => batchNorm(x!, weight, bias, eps).output,
};

describe("agrees with PyTorch", () => {
  for (const golden of readGolden<Options>("ops")) {
    it(golden.name, () =>
      checkGolden(golden, (inputs, options) => ({ y: ops[options.op]!(inputs, options) })),
    );
  }
});
