import { type ClassCrossEntropyOptions, classCrossEntropy } from "../ops/class-cross-entropy.ts";
import { classLogProbs } from "../ops/class-log-probs.ts";
import { classSample } from "../ops/class-sample.ts";
import { ngramHashes } from "../ops/ngram-hashes.ts";
import { type WordClasses, wordClasses } from "../ops/word-classes.ts";
import { Storage } from "../tensor/storage.ts";
import { parameter, Tensor } from "../tensor/tensor.ts";
import { uniform, zeroParameter } from "./init.ts";
import { Module } from "./module.ts";

export interface ClassOutputOptions {
  inFeatures: number;
  vocabularySize: number;
  /** The first word of each class. */
  classes: readonly number[];
  /** Weights of the direct connections; 0 for none. */
  direct?: number;
  /** The longest n-grams that have any: each begins with the words before, so 3 is those of two words and what follows. */
  directOrder?: number;
}

/**
 * A softmax factorised by classes (Mikolov et al. 2011), with direct connections from n-grams if `direct` is above 0
 * ("RNNME"). Weights begin uniform in ±1/√inFeatures, as those of `Linear`; direct connections at 0, and an optimizer
 * leaves them alone: `loss` itself teaches them.
 */
export class ClassOutput extends Module {
  /** [V, inFeatures] and [V]: of each word among its class. */
  readonly weight: Tensor;
  readonly bias: Tensor;
  /** [C, inFeatures] and [C] */
  readonly classWeight: Tensor;
  readonly classBias: Tensor;
  /** [direct] */
  readonly direct: Tensor | undefined;
  readonly directOrder: number;
  readonly classes: WordClasses;
  readonly #starts: Tensor;

  constructor({ inFeatures, vocabularySize, classes, direct = 0, directOrder = 3 }: ClassOutputOptions) {
    super();
    const bound = 1 / Math.sqrt(inFeatures);
    const made = (...shape: number[]) => uniform(zeroParameter(shape), -bound, bound);
    this.weight = made(vocabularySize, inFeatures);
    this.bias = made(vocabularySize);
    this.classWeight = made(classes.length, inFeatures);
    this.classBias = made(classes.length);
    this.directOrder = directOrder;
    if (direct > 0) {
      this.direct = parameter(new Float32Array(direct), [direct]);
      this.direct.requiresGrad = false;
    }
    this.classes = wordClasses(classes, vocabularySize);
    const { starts } = this.classes;
    this.#starts = new Tensor(
      [starts.length],
      new Storage("int32", starts.length, { host: starts.slice(), persistent: true }),
    );
  }

  /** What is known of the tokens before [T, N]; `before` [directOrder − 1, N] is as `ngramHashes` has it. */
  hashes(tokens: Tensor, before: Tensor): { hashes: Tensor; next: Tensor } {
    return ngramHashes(tokens, before, this.directOrder);
  }

  /** x [..., inFeatures] → ln P of every word [..., V]; with direct connections, `hashes` too. */
  forward(x: Tensor, hashes?: Tensor): Tensor {
    return classLogProbs({ x, ...this.#weights(hashes) }, this.classes, this.#starts);
  }

  /** The cross-entropy of targets [...], of which no more is computed than it takes. */
  loss(x: Tensor, targets: Tensor, options: ClassCrossEntropyOptions = {}, hashes?: Tensor): Tensor {
    const { learn } = options;
    if (learn && this.direct) this.direct.storage.version++;
    return classCrossEntropy({ x, ...this.#weights(hashes) }, targets, this.classes, options);
  }

  /** A word for each row of x, drawn with two numbers in [0, 1): uniform [..., 2] → int32 [...]. */
  sample(x: Tensor, uniform: Tensor, hashes?: Tensor): Tensor {
    return classSample({ x, ...this.#weights(hashes) }, this.classes, uniform);
  }

  #weights(hashes: Tensor | undefined) {
    const { weight, bias, classWeight, classBias, direct } = this;
    return { weight, bias, classWeight, classBias, ...(direct && { direct, hashes }) };
  }

  protected override describe(): string {
    const [vocabulary, width] = this.weight.shape;
    const direct = this.direct ? `, direct=${this.direct.size}, directOrder=${this.directOrder}` : "";
    return `${width}, ${vocabulary}, classes=${this.classes.starts.length - 1}${direct}`;
  }
}
