import type { ReferenceOf } from "../autograd/op.ts";
import type { ClassOutputInput, classCrossEntropyOp } from "./class-cross-entropy.ts";
import type { classLogProbsOp } from "./class-log-probs.ts";
import type { classSampleOp } from "./class-sample.ts";
import { targetError } from "./cross-entropy.ts";
import { places } from "./direct.reference.ts";
import { fallsOn } from "./falls-on.ts";
import { addOuter, addTransposedProduct, row } from "./sequence.reference.ts";
import { logSumExp } from "./softmax.reference.ts";
import type { WordClasses } from "./word-classes.ts";

type Inputs = Record<ClassOutputInput, Float64Array>;

/** logits = W x + b, and what the n-grams add. */
function logits(
  weight: Float64Array,
  bias: Float64Array,
  x: Float64Array,
  inputs: Inputs,
  at: number[],
): Float64Array {
  const n = weight.length / x.length;
  return Float64Array.from({ length: n }, (_, j) => {
    let sum = bias[j] ?? 0;
    for (let i = 0; i < x.length; i++) sum += weight[j * x.length + i]! * x[i]!;
    for (const place of at) sum += inputs.direct[place + j]!;
    return sum;
  });
}

/** The logits of the classes, or of the words of class c. */
function classLogits(inputs: Inputs, r: number, R: number, H: number): Float64Array {
  const { classWeight, classBias, x } = inputs;
  const at = places(inputs, r, R, 0, classWeight.length / H);
  return logits(classWeight, classBias, row(x, r, H), inputs, at);
}

function wordLogits(
  inputs: Inputs,
  r: number,
  R: number,
  H: number,
  { starts }: WordClasses,
  c: number,
): Float64Array {
  const [from, to] = [starts[c]!, starts[c + 1]!];
  const at = places(inputs, r, R, c + 1, to - from);
  const { weight, bias, x } = inputs;
  return logits(weight.subarray(from * H, to * H), bias.subarray(from, to), row(x, r, H), inputs, at);
}

export const classCrossEntropy: ReferenceOf<typeof classCrossEntropyOp> = {
  forward({ shapes, inputs, outputs, saved }, { classes, ignoreIndex, reduction }) {
    const H = shapes.x.at(-1)!;
    const R = inputs.targets.length;
    const losses = Float64Array.from(inputs.targets, (w, r) => {
      if (w === ignoreIndex) return 0;
      const c = classes.classOf[w];
      if (c === undefined) throw targetError(w, classes.classOf.length);
      const ofClasses = classLogits(inputs, r, R, H);
      const ofWords = wordLogits(inputs, r, R, H, classes, c);
      return logSumExp(ofClasses) - ofClasses[c]! + logSumExp(ofWords) - ofWords[w - classes.starts[c]!]!;
    });
    const count = inputs.targets.reduce((n, target) => n + (target === ignoreIndex ? 0 : 1), 0);
    saved.factor[0] = reduction === "mean" ? (count ? 1 / count : 0) : 1;
    if (reduction === "none") outputs.loss.set(losses);
    else outputs.loss[0] = saved.factor[0] * losses.reduce((sum, loss) => sum + loss, 0);
  },

  backward({ shapes, inputs, saved, gradOutputs, gradInputs }, { classes, ignoreIndex, reduction, learn }) {
    const H = shapes.x.at(-1)!;
    const R = inputs.targets.length;
    const { starts, classOf } = classes;
    const learnt: [place: number, error: number, g: number][] = [];
    // One row after the other, class by class.
    const byClass = Array.from(inputs.targets, (w, r) => ({ w, r, c: classOf[w]! }));
    byClass.sort((a, b) => a.c - b.c);
    for (const { w, r, c } of byClass) {
      if (w === ignoreIndex) continue;
      const [from, to] = [starts[c]!, starts[c + 1]!];
      const g = gradOutputs.loss[reduction === "none" ? r : 0]! * saved.factor[0]!;
      const x = row(inputs.x, r, H);
      const dx = row(gradInputs.x, r, H);
      // ∂loss/∂logits = softmax − one-hot, of the classes and of the words of the target's class.
      const error = (z: Float64Array, target: number) => {
        const total = logSumExp(z);
        return z.map((v, j) => g * (Math.exp(v - total) - (j === target ? 1 : 0)));
      };
      const ofClasses = error(classLogits(inputs, r, R, H), c);
      const ofWords = error(wordLogits(inputs, r, R, H, classes, c), w - from);
      addOuter(gradInputs.classWeight, ofClasses, x);
      ofClasses.forEach((d, j) => {
        if (gradInputs.classBias.length) gradInputs.classBias[j]! += d;
      });
      addOuter(gradInputs.weight.subarray(from * H, to * H), ofWords, x);
      ofWords.forEach((d, j) => {
        if (gradInputs.bias.length) gradInputs.bias[from + j]! += d;
      });
      addTransposedProduct(dx, inputs.classWeight, ofClasses);
      addTransposedProduct(dx, inputs.weight.subarray(from * H, to * H), ofWords);
      if (!learn) continue;
      const ofClass = places(inputs, r, R, 0, ofClasses.length);
      const ofWord = places(inputs, r, R, c + 1, to - from);
      for (let k = 0; k < ofClass.length; k++) {
        for (const [j, d] of ofClasses.entries()) learnt.push([ofClass[k]! + j, d, g]);
        for (const [j, d] of ofWords.entries()) learnt.push([ofWord[k]! + j, d, g]);
      }
    }
    if (!learn) return;
    const { learningRate, weightDecay } = learn;
    for (const [place, error, g] of learnt) {
      const weight = inputs.direct[place]!;
      inputs.direct[place] = weight - learningRate * (error + g * weightDecay * weight);
    }
  },
};

export const classLogProbs: ReferenceOf<typeof classLogProbsOp> = {
  forward({ shapes, inputs, outputs: { y } }, { classes }) {
    const H = shapes.x.at(-1)!;
    const R = inputs.x.length / H;
    const V = classes.classOf.length;
    for (let r = 0; r < R; r++) {
      const ofClasses = classLogits(inputs, r, R, H);
      ofClasses.forEach((logit, c) => {
        const ofWords = wordLogits(inputs, r, R, H, classes, c);
        const shift = logit - logSumExp(ofClasses) - logSumExp(ofWords);
        ofWords.forEach((z, j) => {
          y[r * V + classes.starts[c]! + j] = z + shift;
        });
      });
    }
  },
};

export const classSample: ReferenceOf<typeof classSampleOp> = {
  forward({ shapes, inputs, outputs: { words } }, { classes }) {
    const H = shapes.x.at(-1)!;
    const R = inputs.x.length / H;
    const draw = (logits: Float64Array, u: number) => {
      const total = logSumExp(logits);
      return fallsOn(
        logits.map((z) => Math.exp(z - total)),
        0,
        logits.length,
        u,
      );
    };
    for (let r = 0; r < R; r++) {
      const c = draw(classLogits(inputs, r, R, H), inputs.uniform[2 * r]!);
      words[r] =
        classes.starts[c]! + draw(wordLogits(inputs, r, R, H, classes, c), inputs.uniform[2 * r + 1]!);
    }
  },
};
