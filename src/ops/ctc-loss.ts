import { ctcKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { getEngine, share, use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkCtc } from "../engine/self-check-ctc.ts";
import { DataError, OptionError, ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkReduction, type Reduction } from "./reduction.ts";

const run = use(ctcKernels);
selfChecks.ctc = checkCtc;

export interface CtcLossOptions {
  /** The class that stands for no label; 0 by default. */
  blank?: number;
  /** `mean` of the losses, each divided by its number of labels (1 if none); `sum`; or `none`: a loss per sequence. */
  reduction?: Reduction;
  /** A target that does not fit its input counts 0, gradient included, instead of an infinite loss. */
  zeroInfinity?: boolean;
}

type Inputs = "logits" | "targets" | "inputLengths" | "targetLengths";

/** Refuses shapes of targets and lengths that do not fit those of logits, or probabilities. */
export function checkTargetShapes(op: string, shapes: Record<Exclude<Inputs, "logits">, Shape>, N: number) {
  const { targets, ...lengths } = shapes;
  if (targets.length !== 2 || targets[0] !== N) {
    throw new ShapeError(`${op}: targets must be [${N}, labels], got ${formatShape(targets)}`);
  }
  for (const [name, shape] of Object.entries(lengths)) {
    if (shape.length !== 1 || shape[0] !== N) {
      throw new ShapeError(`${op}: ${name} must be [${N}], got ${formatShape(shape)}`);
    }
  }
}

export function checkBlank(op: string, blank: number, V: number): void {
  if (Number.isInteger(blank) && blank >= 0 && blank < V) return;
  throw new OptionError(`${op}: blank must be one of the ${V} classes, from 0 to ${V - 1}, got ${blank}`);
}

/** Refuses lengths and targets that do not fit; what lies beyond a length is never looked at. */
export function checkTargets(
  shapes: Record<"logits" | "targets", Shape>,
  values: Record<Exclude<Inputs, "logits">, ArrayLike<number>>,
  blank: number,
  op = "ctcLoss",
): void {
  const [T, N, V] = shapes.logits as [number, number, number];
  const L = shapes.targets[1]!;
  const { targets, inputLengths, targetLengths } = values;
  for (let n = 0; n < N; n++) {
    const frames = inputLengths[n]!;
    const labels = targetLengths[n]!;
    if (frames < 0 || frames > T) {
      throw new DataError(`${op}: inputLengths must be from 0 to ${T}, got ${frames} for sequence ${n}`);
    }
    if (labels < 0 || labels > L) {
      throw new DataError(`${op}: targetLengths must be from 0 to ${L}, got ${labels} for sequence ${n}`);
    }
    for (let i = 0; i < labels; i++) {
      const label = targets[n * L + i]!;
      if (label < 0 || label >= V || label === blank) {
        const why = label === blank ? "the blank" : `outside the ${V} classes`;
        throw new DataError(`${op}: target ${label} of sequence ${n} is ${why}`);
      }
    }
  }
}

/** Doubles in a row of states: L + 1 blanks and as many labels, in fours, and two between; see assembly/ctc.ts. */
const widthOf = (L: number) => 4 * Math.floor((L + 4) / 4);
const scratchSize = (L: number, V: number) => 14 * widthOf(L) + 12 + 2 * Math.ceil(V / 2);

export const ctcLossOp: Op<
  Inputs,
  "loss",
  "losses" | "paths" | "statistics" | "alphas" | "scratch" | "factors",
  Required<CtcLossOptions>
> = {
  name: "ctcLoss",
  infer({ logits, targets, inputLengths, targetLengths }, { blank, reduction }) {
    const [T, N, V] = logits;
    if (logits.length !== 3 || !V) {
      throw new ShapeError(`ctcLoss: logits must be [time, batch, classes], got ${formatShape(logits)}`);
    }
    checkTargetShapes("ctcLoss", { targets, inputLengths, targetLengths }, N!);
    checkBlank("ctcLoss", blank, V);
    const L = targets[1]!;
    const none = reduction === "none";
    return {
      outputs: { loss: none ? [N!] : [] },
      saved: {
        losses: none ? [0] : [N!],
        paths: [N!, 2],
        statistics: [T!, N!, 8],
        alphas: [N!, T! + 1, 4 * widthOf(L) + 4],
        scratch: [N!, scratchSize(L, V)],
        factors: none ? [0] : [N!],
      },
    };
  },
  forward({ shapes, inputs, outputs: { loss }, saved }, { blank, reduction, zeroInfinity }) {
    const [T, N, V] = shapes.logits as [number, number, number];
    const L = shapes.targets[1]!;
    const { memory } = getEngine();
    const integers = {
      targets: memory.i32(inputs.targets, N * L),
      inputLengths: memory.i32(inputs.inputLengths, N),
      targetLengths: memory.i32(inputs.targetLengths, N),
    };
    checkTargets(shapes, integers, blank);
    const losses = reduction === "none" ? loss : saved.losses;
    const { paths, statistics, alphas, scratch, factors } = saved;
    const sizes = { N, V, L, blank, zeroInfinity: Number(zeroInfinity), rows: T + 1 };
    const kept = { paths, statistics, alphas, scratch, scratchSize: scratchSize(L, V) };
    run("ctcForward", { ...inputs, ...sizes, ...kept, losses }, N, share(N, T * N * (50 * L + 20 * V)));
    if (reduction === "none") return;
    const { targetLengths } = inputs;
    run("ctcTotal", { losses, targetLengths, N, mean: Number(reduction === "mean"), loss, factors });
  },
  backward({ shapes, inputs, saved, gradOutputs, gradInputs }, { blank, reduction, zeroInfinity }) {
    const [T, N, V] = shapes.logits as [number, number, number];
    const L = shapes.targets[1]!;
    const each = reduction === "none";
    const { paths, statistics, alphas, scratch } = saved;
    const sizes = { N, V, L, blank, zeroInfinity: Number(zeroInfinity), rows: T + 1 };
    const kept = { paths, statistics, alphas, scratch, scratchSize: scratchSize(L, V) };
    const gradient = { dLoss: gradOutputs.loss, stride: each ? 1 : 0, dx: gradInputs.logits };
    const args = { ...inputs, ...sizes, ...kept, ...gradient, factors: each ? 0 : saved.factors };
    run("ctcBackward", args, N, share(N, T * N * (70 * L + 20 * V)));
  },
};

/**
 * Connectionist temporal classification (Graves et al. 2006): −ln P(targets | logits), where P sums over all ways to
 * spread the labels over the frames, with blanks between them and each lasting as long as it likes.
 *
 * logits [T, N, V], of which sequence n has its first inputLengths[n] frames; int32 targets [N, L], of which it has the
 * first targetLengths[n]; what lies beyond is never read. The softmax is part of it, unlike in PyTorch's `ctc_loss`:
 * log-probabilities are logits too, and give the same loss.
 *
 * The loss is infinite, and its gradient NaN, if a target does not fit its input: each label takes a frame, and a
 * repeated one another for the blank before it. Throws DataError for a target that is the blank or no class.
 */
export function ctcLoss(
  logits: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  options: CtcLossOptions = {},
): Tensor {
  const { blank = 0, reduction = "mean", zeroInfinity = false } = options;
  expectDtype("ctcLoss", "logits", logits, "float32");
  for (const [name, t] of Object.entries({ targets, inputLengths, targetLengths })) {
    expectDtype("ctcLoss", name, t, "int32");
  }
  checkReduction("ctcLoss", reduction);
  const inputs = { logits, targets, inputLengths, targetLengths };
  return apply(ctcLossOp, inputs, { blank, reduction, zeroInfinity }).loss;
}
