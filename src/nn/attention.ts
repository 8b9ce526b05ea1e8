import { OptionError } from "../errors.ts";
import { add } from "../ops/binary.ts";
import { gather } from "../ops/gather.ts";
import { matmul } from "../ops/matmul.ts";
import { tanh } from "../ops/pointwise.ts";
import { softmax } from "../ops/softmax.ts";
import { transpose } from "../ops/transpose.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

/** How well a query fits a memory: q·m, q·(W m), or v·tanh(W q + U m). */
export const attentionScores = ["dot", "general", "additive"] as const;
export type AttentionScore = (typeof attentionScores)[number];

/** What can be looked at, made ready once for any number of queries. */
export interface AttentionMemory {
  /** [N, S, M] */
  values: Tensor;
  /** What queries are compared with: [N, Q, S], of additive scores [N, 1, S, A]. */
  keys: Tensor;
  /** [N, 1, S]: 0, or so little that it gets no weight, past a sequence's length. */
  mask: Tensor;
}

/** Rows of a step beside the memories of other sequences: several rows look at one, and some memories have none. */
export interface Looks {
  /** The most rows that a memory has, and the memories: there is a place for each of them. */
  shape: [most: number, memories: number];
  /** The row at each place, any one where there is none; and the place of each row. */
  rowOf: Int32Array;
  placeOf: Int32Array;
}

/** Low enough that e to it is 0 beside any score, and finite. */
const MASKED = -1e9;

/**
 * Attention: weights over the steps of a memory, as many as queries, and the memory's means by them. Scores are
 * dot products or general (Luong et al. 2015, eq. 8) or additive (Bahdanau et al. 2015, appendix A.1.2).
 */
export class Attention extends Module {
  readonly score: AttentionScore;
  /** W of general scores, U of additive ones. */
  readonly key: Linear | undefined;
  /** W of additive scores. */
  readonly query: Linear | undefined;
  /** v of additive scores. */
  readonly energy: Linear | undefined;

  /** Queries of width Q over memories of width M; additive scores have Q hidden units. */
  constructor(score: AttentionScore, querySize: number, memorySize: number) {
    super();
    this.score = score;
    if (score === "dot" && querySize !== memorySize) {
      throw new OptionError(
        `Attention: dot products need queries as wide as the memory, got ${querySize} and ${memorySize}`,
      );
    }
    if (score !== "dot") this.key = new Linear(memorySize, querySize, { bias: false });
    if (score === "additive") {
      this.query = new Linear(querySize, querySize);
      this.energy = new Linear(querySize, 1, { bias: false });
    }
  }

  /** values [S, N, M], of which sequence n has lengths[n] steps. */
  remember(values: Tensor, lengths: ArrayLike<number>): AttentionMemory {
    const [S, N] = values.shape as [number, number];
    const mask = new Float32Array(N * S);
    for (let n = 0; n < N; n++) mask.fill(MASKED, n * S + lengths[n]!, (n + 1) * S);
    const rows = transpose(values, [1, 0, 2]);
    const keys = this.key ? this.key.forward(rows) : rows;
    return {
      values: rows,
      keys: this.score === "additive" ? keys.reshape(N, 1, S, keys.shape[2]!) : transpose(keys, [0, 2, 1]),
      mask: tensor(mask, [N, 1, S]),
    };
  }

  /** queries [T, N, Q] → context [T, N, M] and the weights [N, T, S] */
  forward(queries: Tensor, { values, keys, mask }: AttentionMemory): { context: Tensor; weights: Tensor } {
    const rows = transpose(queries, [1, 0, 2]);
    const weights = softmax(add(this.#scores(rows, keys), mask));
    return { context: transpose(matmul(weights, values), [1, 0, 2]), weights };
  }

  /** queries [1, rows, Q] of the memories that `looks` gives them → context [1, rows, M], weights [memories, most, S] */
  look(queries: Tensor, memory: AttentionMemory, looks: Looks): { context: Tensor; weights: Tensor } {
    const [most, memories] = looks.shape;
    const [, rows, Q] = queries.shape as [number, number, number];
    const placed = gather(queries.reshape(rows, Q), tensor(looks.rowOf), 0).reshape(most, memories, Q);
    const { context, weights } = this.forward(placed, memory);
    const M = context.shape[2]!;
    const ofRows = gather(context.reshape(most * memories, M), tensor(looks.placeOf), 0);
    return { context: ofRows.reshape(1, rows, M), weights };
  }

  /** [N, T, S] */
  #scores(queries: Tensor, keys: Tensor): Tensor {
    if (!this.query || !this.energy) return matmul(queries, keys);
    const [N, T, A] = queries.shape as [number, number, number];
    const hidden = tanh(add(this.query.forward(queries).reshape(N, T, 1, A), keys));
    return this.energy.forward(hidden).reshape(N, T, keys.shape[2]!);
  }

  protected override describe(): string {
    return this.score;
  }
}

/** How many numbers it has. */
export function countOfAttention(score: AttentionScore, querySize: number, memorySize: number): number {
  if (score === "dot") return 0;
  const additive = querySize * (querySize + 1) + querySize;
  return memorySize * querySize + (score === "additive" ? additive : 0);
}
