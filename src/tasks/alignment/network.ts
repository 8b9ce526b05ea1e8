import type { ImageBatch } from "../../data/images/image-table.ts";
import { Dropout } from "../../nn/dropout.ts";
import { Embedding } from "../../nn/embedding.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { RNN } from "../../nn/recurrent/rnn.ts";
import { add, mul, sub } from "../../ops/binary.ts";
import { matmul } from "../../ops/matmul.ts";
import { relu } from "../../ops/pointwise.ts";
import { max, sum } from "../../ops/reduce.ts";
import { concat } from "../../ops/slice.ts";
import { transpose } from "../../ops/transpose.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { countOfEncoder, FeatureEncoder } from "../captioning/encoder.ts";
import type { NetworkConfig } from "./config.ts";

/**
 * Regions and words in one space (Karpathy & Fei-Fei 2015, §3.1). Regions are the cells of a grid and the whole image,
 * v = W_m x + b_m; words s_t = f(W_d (h_t^f + h_t^b) + b_d) are read from both sides, f being ReLU.
 */
export class AlignmentNetwork extends Module {
  readonly config: NetworkConfig;
  readonly encoder: FeatureEncoder;
  readonly whole: Linear | undefined;
  readonly cell: Linear | undefined;
  readonly embedding: Embedding;
  readonly word: Linear;
  readonly reader: RNN;
  readonly output: Linear;
  readonly dropout: Dropout;

  constructor(config: NetworkConfig) {
    super();
    const { image, vocabulary, embeddingSize: E, hiddenSize: H, dropout } = config;
    this.config = config;
    this.encoder = new FeatureEncoder(image);
    this.whole = image.pooled === undefined ? undefined : new Linear(image.pooled, H);
    this.cell = image.grid && new Linear(image.grid[0], H);
    this.embedding = new Embedding(vocabulary, E);
    this.word = new Linear(E, H);
    const options = { nonlinearity: "relu", bidirectional: true, merge: "sum" } as const;
    this.reader = new RNN({ inputSize: H, hiddenSize: H, ...options });
    this.output = new Linear(H, H);
    this.dropout = new Dropout(dropout);
  }

  /** Images → regions [N, R, H]: the cells of the grid row by row, then the whole. */
  regions(images: ImageBatch): Tensor {
    const { vector, grid } = this.encoder.forward(images);
    const parts: Tensor[] = [];
    if (this.cell && grid) {
      const [N, C, rows, columns] = grid.shape as [number, number, number, number];
      const cells = transpose(grid.reshape(N, C, rows * columns), [0, 2, 1]);
      parts.push(this.cell.forward(this.dropout.forward(cells)));
    }
    if (this.whole) {
      const N = vector.shape[0]!;
      parts.push(this.whole.forward(this.dropout.forward(vector)).reshape(N, 1, -1));
    }
    return parts.length === 1 ? parts[0]! : concat(parts, 1);
  }

  /** tokens [T, N], of which sentence n has lengths[n] words → words [T, N, H] */
  words(tokens: Tensor, lengths: Int32Array): Tensor {
    const e = relu(this.word.forward(this.dropout.forward(this.embedding.forward(tokens))));
    const { output } = this.reader.forward(e, { lengths: tensor(lengths) });
    return relu(this.output.forward(this.dropout.forward(output)));
  }
}

/** Regions [N, R, H] and words [T, M, H] → how well each word fits each region: [N, R, T·M] */
export function similarities(regions: Tensor, words: Tensor): Tensor {
  const [N, R, H] = regions.shape as [number, number, number];
  return matmul(regions.reshape(N * R, H), transpose(words.reshape(-1, H))).reshape(N, R, -1);
}

/** S_kl = Σ_t max_i v_iᵀ s_t of images k and sentences l (eq. 8): [N, M] */
export function imageSentenceScores(regions: Tensor, words: Tensor, lengths: Int32Array): Tensor {
  const [T, M] = words.shape as [number, number];
  const mask = Float32Array.from({ length: T * M }, (_, i) => Number(Math.floor(i / M) < lengths[i % M]!));
  const best = mul(max(similarities(regions, words), 1), tensor(mask));
  return sum(best.reshape(-1, T, M), 1);
}

/**
 * Σ_k Σ_l max(0, S_kl − S_kk + 1) + max(0, S_lk − S_kk + 1), by the number of pairs k. `rows` are the images of the sentences: those
 * of one image are no wrong ones for each other.
 */
export function rankingLoss(scores: Tensor, rows: ArrayLike<number>): Tensor {
  const N = rows.length;
  const [own, others] = [new Float32Array(N * N), new Float32Array(N * N)];
  for (let k = 0; k < N; k++) {
    own[k * N + k] = 1;
    for (let l = 0; l < N; l++) others[k * N + l] = Number(rows[k] !== rows[l]);
  }
  const right = sum(mul(scores, tensor(own, [N, N])), 1);
  const margins = (shape: number[]) =>
    sum(mul(relu(add(sub(scores, right.reshape(...shape)), 1)), tensor(others, [N, N])));
  return mul(add(margins([N, 1]), margins([1, N])), 1 / N);
}

/** How many numbers such a network has, without building it. */
export function countParameters({
  image,
  vocabulary,
  embeddingSize: E,
  hiddenSize: H,
}: NetworkConfig): number {
  const linear = (from: number) => (from + 1) * H;
  const regions = (image.pooled ? linear(image.pooled) : 0) + (image.grid ? linear(image.grid[0]) : 0);
  return countOfEncoder(image) + regions + vocabulary * E + linear(E) + 2 * H * (2 * H + 2) + linear(H);
}
