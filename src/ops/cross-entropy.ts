import { softmaxKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { DataError, OptionError, ShapeError } from "../errors.ts";
import { formatShape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { findOutside } from "./gather.ts";
import { checkReduction, NO_TARGET, type Reduction } from "./reduction.ts";

const run = use(softmaxKernels);

export interface CrossEntropyOptions {
  /** Targets of this value count for nothing; −100 by default. */
  ignoreIndex?: number;
  /** ε: this part of the target's probability is spread evenly over all classes; 0 by default. */
  labelSmoothing?: number;
  /** `mean` over the targets not ignored, `sum`, or `none`: a loss for each target. */
  reduction?: Reduction;
}

export function targetError(target: number, classes: number): DataError {
  return new DataError(`crossEntropy: target ${target} is outside the vocabulary of ${classes}`);
}

export const crossEntropyOp: Op<
  "logits" | "targets",
  "loss",
  "losses" | "statistics" | "factor",
  Required<CrossEntropyOptions>
> = {
  name: "crossEntropy",
  infer({ logits, targets }, { reduction }) {
    if (!logits.at(-1)) {
      throw new ShapeError(`crossEntropy: logits must be [..., classes], got ${formatShape(logits)}`);
    }
    const rows = logits.slice(0, -1);
    if (!sameShape(rows, targets)) {
      throw new ShapeError(`crossEntropy: targets must be ${formatShape(rows)}, got ${formatShape(targets)}`);
    }
    const none = reduction === "none";
    return {
      outputs: { loss: none ? targets : [] },
      saved: { losses: none ? [0] : targets, statistics: [...targets, 8], factor: [] },
    };
  },
  forward({ shapes, inputs: { logits, targets }, outputs: { loss }, saved }, options) {
    const { ignoreIndex: ignored, labelSmoothing: smoothing, reduction } = options;
    const { statistics, factor } = saved;
    const rows = sizeOf(shapes.targets);
    const classes = shapes.logits.at(-1)!;
    const bad = findOutside(targets, rows, classes, ignored);
    if (bad !== undefined) throw targetError(bad, classes);
    const losses = reduction === "none" ? loss : saved.losses;
    const args = { logits, targets, losses, statistics, classes, ignored, smoothing };
    run("crossEntropyForward", args, rows, share(rows, 30 * rows * classes));
    if (reduction === "none") return;
    run("totalLoss", { losses, targets, rows, ignored, mean: Number(reduction === "mean"), loss, factor });
  },
  backward({ shapes, inputs: { logits, targets }, saved, gradOutputs, gradInputs }, options) {
    const { ignoreIndex: ignored, labelSmoothing: smoothing, reduction } = options;
    const rows = sizeOf(shapes.targets);
    const classes = shapes.logits.at(-1)!;
    const each = reduction === "none";
    const args = {
      logits,
      targets,
      statistics: saved.statistics,
      dLoss: gradOutputs.loss,
      stride: each ? 1 : 0,
      factor: each ? 0 : saved.factor,
      dx: gradInputs.logits,
      classes,
      ignored,
      smoothing,
    };
    run("crossEntropyBackward", args, rows, share(rows, 30 * rows * classes));
  },
};

/**
 * How many nats it takes to name the int32 targets [...] under logits [..., V]: −ln softmax(logits)[target]. With label
 * smoothing ε (Szegedy et al. 2016, §7) the target's one-hot row becomes 1 − ε there and ε/V everywhere.
 *
 * The mean runs over the targets that are not ignored. If all are, the loss is 0 and so is every gradient (PyTorch's is
 * NaN): a batch of nothing but padding teaches nothing, and should not end a training.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { ignoreIndex = NO_TARGET, labelSmoothing = 0, reduction = "mean" } = options;
  expectDtype("crossEntropy", "logits", logits, "float32");
  expectDtype("crossEntropy", "targets", targets, "int32");
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new OptionError(`crossEntropy: labelSmoothing must be from 0 to 1, got ${labelSmoothing}`);
  }
  checkReduction("crossEntropy", reduction);
  return apply(crossEntropyOp, { logits, targets }, { ignoreIndex, labelSmoothing, reduction }).loss;
}
