import type { Batches } from "../../data/batches.ts";
import { Generator } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Problem } from "./problems.ts";

/** Sequences of one length. */
export interface MemoryBatch {
  /** [T, N, inputSize] */
  inputs: Tensor;
  /** [answers, N], int32 for classes. */
  targets: Tensor;
  /** The same without noise. */
  truths: Tensor;
}

/** What the sequences are for: none is used for two things. The numbers keep clear of those of initial weights. */
const streams = { training: 2 ** 30, validation: 2 ** 31, evaluation: 3 * 2 ** 30 } as const;
const STREAMS = 2 ** 30;

export interface MemoryBatchesOptions {
  purpose: keyof typeof streams;
  batchSize: number;
  /** From and to, both possible. */
  length: readonly [number, number];
  /** Batches in an epoch. */
  count: number;
  seed: number;
}

/** Batches made when they are asked for; each has a random length. */
export class MemoryBatches implements Batches<MemoryBatch> {
  readonly length: number;
  readonly #problem: Problem;
  readonly #options: MemoryBatchesOptions;

  constructor(problem: Problem, options: MemoryBatchesOptions) {
    this.#problem = problem;
    this.#options = options;
    this.length = options.count;
  }

  at(epoch: number, index: number): MemoryBatch {
    const { inputSize, answers, answer, make } = this.#problem;
    const { purpose, batchSize: N, length, seed } = this.#options;
    const number = (epoch * this.length + index) % STREAMS;
    const random = new Generator(seed, streams[purpose] + number);
    const T = length[0] + random.below(length[1] - length[0] + 1);
    const inputs = new Float32Array(T * N * inputSize);
    const Values = answer === "class" ? Int32Array : Float32Array;
    const [targets, truths] = [new Values(answers * N), new Values(answers * N)];
    for (let n = 0; n < N; n++) {
      const sequence = make(random, T);
      for (let t = 0; t < T; t++) {
        const row = sequence.inputs.subarray(t * inputSize, (t + 1) * inputSize);
        inputs.set(row, (t * N + n) * inputSize);
      }
      for (const [k, target] of sequence.targets.entries()) {
        targets[k * N + n] = target;
        truths[k * N + n] = sequence.truth ?? target;
      }
    }
    const shape = [answers, N];
    return {
      inputs: tensor(inputs, [T, N, inputSize]),
      targets: tensor(targets, shape),
      truths: tensor(truths, shape),
    };
  }
}
