import { softmaxKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { getEngine, share, use } from "../engine/engine.ts";
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
  wordsOfClasses,
} from "./class-cross-entropy.ts";
import { fallsOn } from "./falls-on.ts";
import { GROUP, groupByClass, type WordClasses } from "./word-classes.ts";

const run = use(softmaxKernels);

export const classSampleOp: Op<ClassOutputInput | "uniform", "words", never, ClassAttributes> = {
  name: "classSample",
  infer(shapes, { classes }) {
    const { rows } = checkClassOutput("classSample", shapes, classes);
    expectShape("classSample", "uniform", shapes.uniform, [...rows, 2]);
    return { outputs: { words: { shape: rows, dtype: "int32" } }, saved: {} };
  },
  forward({ shapes, inputs, outputs }, { classes }) {
    const { rows, H, C } = checkClassOutput("classSample", shapes, classes);
    const { memory } = getEngine();
    const R = sizeOf(rows);
    const direct = directOf(shapes, inputs);
    const words = memory.i32(outputs.words, R);
    const uniform = memory.f32(inputs.uniform, 2 * R);

    const ofClasses = workspace(R * C);
    classLogitsOf(inputs, R, H, C, direct, ofClasses);
    const softmax = { x: ofClasses, y: ofClasses, scratch: workspace(8 * R), width: C };
    run("softmaxForward", softmax, R, share(R, 30 * R * C));
    const classProbs = memory.f32(ofClasses, R * C);
    for (let r = 0; r < R; r++) words[r] = classes.starts[fallsOn(classProbs, r * C, C, uniform[2 * r]!)]!;

    const { groups, order, targets } = groupByClass(words, classes, -1);
    const G = groups.length / GROUP;
    const ints = (values: Int32Array) => {
      const at = workspace(values.length);
      memory.i32(at, values.length).set(values);
      return at;
    };
    const p = workspace(R * classes.most);
    const at = { groups: ints(groups), order: ints(order), targets: ints(targets) };
    const room = { sorted: workspace(R * H), p, losses: workspace(R) };
    wordsOfClasses(inputs, { R, H, G, kept: R, most: classes.most }, { ...at, ...room }, direct);
    const wordProbs = memory.f32(p, R * classes.most);
    for (let g = 0; g < groups.length; g += GROUP) {
      const [, start, width, first, count, place] = groups.subarray(g, g + GROUP) as unknown as number[];
      for (let i = 0; i < count!; i++) {
        const r = order[first! + i]!;
        words[r] = start! + fallsOn(wordProbs, place! + i * width!, width!, uniform[2 * r + 1]!);
      }
    }
  },
};

/**
 * Draws words from a softmax factorised by classes: a class first, then a word of it, so that no more is computed than
 * that takes. x [..., H] and numbers in [0, 1), `uniform` [..., 2], give int32 [...].
 */
export function classSample(inputs: ClassOutputInputs, classes: WordClasses, uniform: Tensor): Tensor {
  checkClassDtypes("classSample", inputs);
  expectDtype("classSample", "uniform", uniform, "float32");
  const { x, classWeight, classBias, weight, bias, direct, hashes } = inputs;
  return apply(
    classSampleOp,
    { x, classWeight, classBias, weight, bias, direct, hashes, uniform },
    { classes },
  ).words;
}
