import { classesKernels, directKernels, memoryKernels, shapeKernels, softmaxKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { getEngine, share, use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkClasses } from "../engine/self-check-classes.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { targetError } from "./cross-entropy.ts";
import { findOutside } from "./gather.ts";
import {
  addColumnSums,
  matrix,
  multiply,
  pack,
  packedFloats,
  packTransposed,
  productScratch,
  transposed,
} from "./gemm.ts";
import { checkReduction, NO_TARGET, type Reduction } from "./reduction.ts";
import { GROUP, groupByClass, type WordClasses } from "./word-classes.ts";

const run = use(classesKernels, directKernels, memoryKernels, shapeKernels, softmaxKernels);
selfChecks.classes = checkClasses;

export interface ClassOutputInputs {
  /** [..., H] */
  x: Tensor;
  /** [C, H] */
  classWeight: Tensor;
  /** [C] */
  classBias?: Tensor | undefined;
  /** [V, H] */
  weight: Tensor;
  /** [V] */
  bias?: Tensor | undefined;
  /** Weights of n-grams, any number from the vocabulary's size up, and the hashes of those before each row: see `ngramHashes`. */
  direct?: Tensor | undefined;
  /** int32 [..., orders] */
  hashes?: Tensor | undefined;
}

export type ClassOutputInput = keyof ClassOutputInputs;

export interface ClassCrossEntropyOptions {
  /** Targets of this value count for nothing; −100 by default. */
  ignoreIndex?: number;
  /** `mean` over the targets not ignored, `sum`, or `none`: a loss for each target. */
  reduction?: Reduction;
  /** How the direct connections learn in `backward`: not at all by default. */
  learn?: DirectLearning;
}

/** A step of SGD, `learningRate`, on the loss and on weightDecay/2·w² of each row's weights. */
export interface DirectLearning {
  learningRate: number;
  weightDecay: number;
}

export interface ClassAttributes {
  classes: WordClasses;
}

interface Attributes extends ClassAttributes, Required<Omit<ClassCrossEntropyOptions, "learn">> {
  learn: DirectLearning | undefined;
}

/** Refuses weights that do not fit x or the classes. */
export function checkClassOutput(
  op: string,
  shapes: Record<ClassOutputInput, Shape>,
  { starts, classOf, most }: WordClasses,
): { rows: Shape; H: number; C: number; V: number } {
  const { x, classWeight, classBias, weight, bias, direct, hashes } = shapes;
  const [C, V] = [starts.length - 1, classOf.length];
  const H = x.at(-1);
  if (!H) throw new ShapeError(`${op}: x must be [..., hidden], got ${formatShape(x)}`);
  const rows = x.slice(0, -1);
  expectShape(op, "classWeight", classWeight, [C, H]);
  expectShape(op, "classBias", classBias, [C]);
  expectShape(op, "weight", weight, [V, H]);
  expectShape(op, "bias", bias, [V]);
  if (direct.length > 0) {
    const least = Math.max(most, C);
    if (direct.length !== 1 || direct[0]! < least) {
      throw new ShapeError(`${op}: direct must have ${least} weights or more, got ${formatShape(direct)}`);
    }
    if (!sameShape(hashes.slice(0, -1), rows)) {
      const wanted = [...rows, "orders"].join(", ");
      throw new ShapeError(`${op}: hashes must be [${wanted}], got ${formatShape(hashes)}`);
    }
  }
  return { rows, H, C, V };
}

export function checkClassDtypes(op: string, inputs: ClassOutputInputs): void {
  for (const [name, t] of Object.entries<Tensor | undefined>({ ...inputs })) {
    if (t) expectDtype(op, name, t, name === "hashes" ? "int32" : "float32");
  }
}

export const classCrossEntropyOp: Op<
  ClassOutputInput | "targets",
  "loss",
  | "losses"
  | "factor"
  | "classLogits"
  | "statistics"
  | "ofClasses"
  | "counts"
  | "groups"
  | "order"
  | "ownTargets"
  | "sorted"
  | "p",
  Attributes
> = {
  name: "classCrossEntropy",
  infer(shapes, { classes, reduction }) {
    const { rows, H, C } = checkClassOutput("classCrossEntropy", shapes, classes);
    const { targets } = shapes;
    if (!sameShape(rows, targets)) {
      throw new ShapeError(
        `classCrossEntropy: targets must be ${formatShape(rows)}, got ${formatShape(targets)}`,
      );
    }
    const R = sizeOf(rows);
    const ints = (length: number) => ({ shape: [length], dtype: "int32" as const });
    return {
      outputs: { loss: reduction === "none" ? targets : [] },
      saved: {
        losses: reduction === "none" ? [0] : targets,
        factor: [],
        classLogits: [R, C],
        statistics: [R, 8],
        ofClasses: ints(R),
        // Groups, rows kept, the most rows or words of a group.
        counts: ints(3),
        groups: ints(Math.min(R, C) * GROUP),
        order: ints(R),
        ownTargets: ints(R),
        sorted: [R, H],
        p: [R, classes.most],
      },
    };
  },

  forward({ shapes, inputs, outputs, saved }, { classes, ignoreIndex: ignored, reduction }) {
    const { rows, H, C, V } = checkClassOutput("classCrossEntropy", shapes, classes);
    const { memory } = getEngine();
    const R = sizeOf(rows);
    const { targets } = inputs;
    const bad = findOutside(targets, R, V, ignored);
    if (bad !== undefined) throw targetError(bad, V);

    const grouping = groupByClass(memory.i32(targets, R), classes, ignored);
    const G = grouping.groups.length / GROUP;
    const kept = grouping.order.length;
    memory.i32(saved.groups, G * GROUP).set(grouping.groups);
    memory.i32(saved.order, kept).set(grouping.order);
    memory.i32(saved.ownTargets, kept).set(grouping.targets);
    memory.i32(saved.ofClasses, R).set(grouping.ofClasses);
    memory.i32(saved.counts, 3).set([G, kept, grouping.most]);

    const { classLogits, statistics, ofClasses, order } = saved;
    const direct = directOf(shapes, inputs);
    classLogitsOf(inputs, R, H, C, direct, classLogits);
    const losses = reduction === "none" ? outputs.loss : saved.losses;
    run(
      "crossEntropyForward",
      { logits: classLogits, targets: ofClasses, losses, statistics, classes: C, ignored, smoothing: 0 },
      R,
      share(R, 30 * R * C),
    );
    const { groups, ownTargets: own, sorted, p } = saved;
    wordsOfClasses(
      inputs,
      { R, H, G, kept, most: classes.most },
      { groups, order, targets: own, sorted, p, losses },
      direct,
    );
    if (reduction === "none") return;
    const { factor } = saved;
    const mean = Number(reduction === "mean");
    run("totalLoss", { losses, targets, rows: R, ignored, mean, loss: outputs.loss, factor });
  },

  backward({ shapes, inputs, saved, gradOutputs, gradInputs }, { classes, ignoreIndex, reduction, learn }) {
    const { rows, H, C } = checkClassOutput("classCrossEntropy", shapes, classes);
    const R = sizeOf(rows);
    const [G, kept, most] = getEngine().memory.i32(saved.counts, 3) as unknown as [number, number, number];
    const each = reduction === "none";
    const loss = { dLoss: gradOutputs.loss, stride: each ? 1 : 0, factor: each ? 0 : saved.factor };
    const { classLogits, statistics, ofClasses, order, groups, sorted } = saved;

    const dLogits = workspace(R * C);
    run("fill", { out: dLogits, value: 0 }, R * C);
    const ofClass = { logits: classLogits, targets: ofClasses, statistics, dx: dLogits, classes: C };
    run(
      "crossEntropyBackward",
      { ...ofClass, ...loss, ignored: ignoreIndex, smoothing: 0 },
      R,
      share(R, 30 * R * C),
    );
    const dy = matrix(dLogits, R, C);
    const x = matrix(inputs.x, R, H);
    const classWeight = matrix(inputs.classWeight, C, H);
    if (gradInputs.x) multiply(dy, pack(classWeight), { ...x, at: gradInputs.x }, true);
    if (gradInputs.classWeight) {
      multiply(transposed(dy), pack(x), { ...classWeight, at: gradInputs.classWeight }, true);
    }
    addColumnSums(dy, gradInputs.classBias);

    const e = workspace(R * classes.most);
    const dx = gradInputs.x ? workspace(kept * H) : 0;
    const chunk = share(Math.max(G, 1), 4 * kept * H * classes.most);
    const args = {
      ...{ x: sorted, weight: inputs.weight, groups, order, targets: saved.ownTargets, p: saved.p },
      ...{ ...loss, e, dx, dWeight: gradInputs.weight, dBias: gradInputs.bias, H, chunk },
      ...packing(G, chunk, packedFloats(most, H)),
      scratch: productScratch(G, chunk),
    };
    run("classWordsBackward", args, G, chunk);
    if (dx) {
      const back = { dy: dx, indices: order, dx: gradInputs.x, size: R, count: kept, width: H, skip: -1 };
      run("gatherBackward", back, H, share(H, H * kept, 16));
    }
    const direct = directOf(shapes, inputs);
    if (!learn || !direct.direct) return;
    const { learningRate: rate, weightDecay: decay } = learn;
    const step = {
      ...direct,
      classErrors: dLogits,
      classes: C,
      groups,
      groupCount: G,
      order,
      errors: e,
      rate,
      decay,
    };
    run(
      "directUpdate",
      { ...step, ...loss },
      direct.size,
      share(direct.size, 2 * kept * direct.orders * (C + classes.most)),
    );
  },
};

/** P(w | c, x) of each row's class, left in `p`, and −ln P of its target, added to `losses`. */
export function wordsOfClasses(
  inputs: Record<ClassOutputInput, number>,
  { R, H, G, kept, most }: Record<"R" | "H" | "G" | "kept" | "most", number>,
  at: Record<"groups" | "order" | "targets" | "sorted" | "p" | "losses", number>,
  direct: ReturnType<typeof directOf>,
): void {
  const { order, sorted } = at;
  const gather = { x: inputs.x, indices: order, out: sorted, size: R, count: kept, width: H };
  run("gatherForward", gather, kept, share(kept, kept * H));
  const chunk = share(Math.max(G, 1), 2 * kept * H * most);
  const args = {
    ...{ ...at, ...direct, x: sorted, weight: inputs.weight, bias: inputs.bias, H, chunk },
    ...packing(G, chunk, packedFloats(H, most)),
    scratch: productScratch(G, chunk),
  };
  run("classWordsForward", args, G, chunk);
}

/** Working memory to pack into for each chunk. */
function packing(count: number, chunk: number, floats: number): { packed: number; packedBytes: number } {
  return { packed: workspace(Math.ceil(count / chunk) * floats), packedBytes: 4 * floats };
}

/** The direct connections, as kernels know them. */
export function directOf(
  shapes: Record<"direct" | "hashes", Shape>,
  inputs: Record<"direct" | "hashes", number>,
) {
  const { direct, hashes } = inputs;
  return { direct, hashes, size: shapes.direct[0] ?? 0, orders: shapes.hashes.at(-1) ?? 0 };
}

/** x·W_cᵀ + b_c, and what the direct connections add. */
export function classLogitsOf(
  inputs: Record<ClassOutputInput, number>,
  R: number,
  H: number,
  C: number,
  direct: ReturnType<typeof directOf>,
  logits: number,
): void {
  const weight = packTransposed(matrix(inputs.classWeight, C, H), inputs.classBias);
  multiply(matrix(inputs.x, R, H), weight, matrix(logits, R, C));
  if (direct.direct)
    run("classDirect", { logits, classes: C, ...direct }, R, share(R, R * C * direct.orders));
}

/**
 * Cross-entropy under a softmax factorised by classes, −ln P(c | x) − ln P(w | c, x) for the int32 targets w [...] and
 * their classes c (Mikolov et al. 2011, "Extensions of recurrent neural network language model", eq. 8): only the words
 * of the target's class are computed. Targets that are ignored are treated as in `crossEntropy`.
 *
 * The direct connections have no gradient to keep: with `learn`, `backward` itself takes a step of SGD on those that the
 * rows used, one row after the other, class by class.
 */
export function classCrossEntropy(
  inputs: ClassOutputInputs,
  targets: Tensor,
  classes: WordClasses,
  { ignoreIndex = NO_TARGET, reduction = "mean", learn }: ClassCrossEntropyOptions = {},
): Tensor {
  checkClassDtypes("classCrossEntropy", inputs);
  expectDtype("classCrossEntropy", "targets", targets, "int32");
  checkReduction("classCrossEntropy", reduction);
  const { x, classWeight, classBias, weight, bias, direct, hashes } = inputs;
  return apply(
    classCrossEntropyOp,
    { x, classWeight, classBias, weight, bias, direct, hashes, targets },
    { classes, ignoreIndex, reduction, learn },
  ).loss;
}
