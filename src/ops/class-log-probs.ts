import { classesKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkClasses } from "../engine/self-check-classes.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  type ClassAttributes,
  type ClassOutputInput,
  type ClassOutputInputs,
  checkClassDtypes,
  checkClassOutput,
  classLogitsOf,
  directOf,
} from "./class-cross-entropy.ts";
import { matrix, multiply, packTransposed } from "./gemm.ts";
import type { WordClasses } from "./word-classes.ts";

const run = use(classesKernels);
selfChecks.classes = checkClasses;

export const classLogProbsOp: Op<ClassOutputInput | "starts", "y", never, ClassAttributes> = {
  name: "classLogProbs",
  infer(shapes, { classes }) {
    const { rows, V } = checkClassOutput("classLogProbs", shapes, classes);
    return { outputs: { y: [...rows, V] }, saved: {} };
  },
  forward({ shapes, inputs, outputs: { y } }, { classes }) {
    const { rows, H, C, V } = checkClassOutput("classLogProbs", shapes, classes);
    const R = sizeOf(rows);
    const direct = directOf(shapes, inputs);
    const classLogits = workspace(R * C);
    classLogitsOf(inputs, R, H, C, direct, classLogits);
    multiply(
      matrix(inputs.x, R, H),
      packTransposed(matrix(inputs.weight, V, H), inputs.bias),
      matrix(y, R, V),
    );
    const args = {
      classLogits,
      classes: C,
      starts: inputs.starts,
      logits: y,
      words: V,
      ...direct,
      scratch: workspace(8 * R),
    };
    run("classLogProbs", args, R, share(R, 30 * R * V));
  },
};

/**
 * ln P(w | x) of every word under a softmax factorised by classes: x [..., H] → [..., V], whose exponentials sum to 1.
 * `starts` is `classes.starts` as a tensor, int32 [C + 1]. It has no gradient: see `classCrossEntropy`.
 */
export function classLogProbs(inputs: ClassOutputInputs, classes: WordClasses, starts: Tensor): Tensor {
  checkClassDtypes("classLogProbs", inputs);
  expectDtype("classLogProbs", "starts", starts, "int32");
  const { x, classWeight, classBias, weight, bias, direct, hashes } = inputs;
  return apply(
    classLogProbsOp,
    { x, classWeight, classBias, weight, bias, direct, hashes, starts },
    { classes },
  ).y;
}
