import { apply, expectDtype } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { getEngine } from "../engine/engine.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkBlank, checkTargetShapes, checkTargets } from "./ctc-loss.ts";
import { fallsOn } from "./falls-on.ts";
import { PathErrors } from "./path-errors.ts";
import { softmax } from "./softmax.ts";

export interface ExpectedTranscriptionLossOptions {
  /** The class that stands for no label; 0 by default. */
  blank?: number;
  /** What counts as an error: a label (by default), or a word, the labels between two separators. */
  unit?: "label" | "word";
  /** Of words: the label between them; without one, all labels of a sequence are one word. */
  separator?: number;
}

type Inputs = "probs" | "targets" | "inputLengths" | "targetLengths" | "uniform";

export const expectedTranscriptionLossOp: Op<
  Inputs,
  "loss",
  "gradient",
  Required<ExpectedTranscriptionLossOptions>
> = {
  name: "expectedTranscriptionLoss",
  infer({ probs, uniform, ...shapes }, { blank, separator }) {
    const name = "expectedTranscriptionLoss";
    const [T, N, V] = probs;
    if (probs.length !== 3 || !V) {
      throw new ShapeError(`${name}: logits must be [time, batch, classes], got ${formatShape(probs)}`);
    }
    checkTargetShapes(name, shapes, N!);
    if (uniform.length !== 3 || uniform[0] !== T || uniform[1] !== N || !uniform[2]) {
      throw new ShapeError(`${name}: uniform must be [${T}, ${N}, samples], got ${formatShape(uniform)}`);
    }
    checkBlank(name, blank, V);
    if (!Number.isInteger(separator) || separator < -1 || separator >= V || separator === blank) {
      throw new OptionError(
        `${name}: separator must be one of the ${V} classes and not the blank, got ${separator}`,
      );
    }
    return { outputs: { loss: [] }, saved: { gradient: probs } };
  },
  forward({ shapes, inputs, outputs, saved }, { blank, unit, separator }) {
    const [T, N, V] = shapes.probs as [number, number, number];
    const [L, S] = [shapes.targets[1]!, shapes.uniform[2]!];
    const { memory } = getEngine();
    const targets = memory.i32(inputs.targets, N * L);
    const inputLengths = memory.i32(inputs.inputLengths, N);
    const targetLengths = memory.i32(inputs.targetLengths, N);
    const integers = { targets, inputLengths, targetLengths };
    const { targets: ofTargets } = shapes;
    checkTargets({ logits: shapes.probs, targets: ofTargets }, integers, blank, "expectedTranscriptionLoss");
    const probs = memory.f32(inputs.probs, T * N * V);
    const uniform = memory.f32(inputs.uniform, T * N * S);
    const gradient = memory.f32(saved.gradient, T * N * V).fill(0);
    let [edits, units] = [0, 0];
    const errors = new Float64Array(V);
    for (let n = 0; n < N; n++) {
      const labels = targets.subarray(n * L, n * L + targetLengths[n]!);
      const measured = new PathErrors({ labels, classes: V, blank, unit, separator });
      const path = new Int32Array(inputLengths[n]!);
      units += measured.units;
      for (let s = 0; s < S; s++) {
        for (let t = 0; t < path.length; t++) {
          const row = t * N + n;
          path[t] = fallsOn(probs, row * V, V, uniform[row * S + s]!);
          // A network that has diverged is to be seen in the loss.
          if (Number.isNaN(probs[row * V]!)) edits = Number.NaN;
        }
        edits += measured.of(path);
        for (let t = 0; t < path.length; t++) {
          if (!measured.repeats(path, t)) measured.alternatives(path, t, errors);
          const at = (t * N + n) * V;
          for (let k = 0; k < V; k++) gradient[at + k]! += errors[k]!;
        }
      }
    }
    const scale = 1 / (S * Math.max(1, units));
    for (let i = 0; i < gradient.length; i++) gradient[i]! *= scale;
    memory.f32(outputs.loss, 1)[0] = edits * scale;
  },
  backward({ shapes, saved, gradOutputs, gradInputs }) {
    const [T, N, V] = shapes.probs as [number, number, number];
    const { memory } = getEngine();
    const dProbs = memory.f32(gradInputs.probs, T * N * V);
    const gradient = memory.f32(saved.gradient, T * N * V);
    const dLoss = memory.f32(gradOutputs.loss, 1)[0]!;
    for (let i = 0; i < gradient.length; i++) dProbs[i]! += dLoss * gradient[i]!;
  },
};

/**
 * Expected transcription loss (Graves and Jaitly 2014, §4): the errors that are to be expected of the paths through the
 * frames, drawn from the softmax of each and collapsed as CTC does, over the batch's labels or words: its expected
 * error rate. Estimated by samples: those of them that have label k at frame t are, for the gradient, all of them with k
 * in place of what they have there (eq. 20), so that what is common to all labels cancels.
 *
 * logits [T, N, V] and the targets and lengths of `ctcLoss`; float32 uniform [T, N, S], numbers in [0, 1) that S paths of
 * each sequence are drawn with. For networks that CTC has trained: to one that knows nothing, all paths are as bad.
 *
 * Throws DataError for a target that is the blank or no class.
 */
export function expectedTranscriptionLoss(
  logits: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  uniform: Tensor,
  options: ExpectedTranscriptionLossOptions = {},
): Tensor {
  const name = "expectedTranscriptionLoss";
  const { blank = 0, unit = "label", separator = -1 } = options;
  expectDtype(name, "logits", logits, "float32");
  expectDtype(name, "uniform", uniform, "float32");
  for (const [input, t] of Object.entries({ targets, inputLengths, targetLengths })) {
    expectDtype(name, input, t, "int32");
  }
  if (!["label", "word"].includes(unit)) {
    throw new OptionError(`${name}: unit must be label or word, got ${unit}`);
  }
  const inputs = { probs: softmax(logits), targets, inputLengths, targetLengths, uniform };
  return apply(expectedTranscriptionLossOp, inputs, { blank, unit, separator }).loss;
}
