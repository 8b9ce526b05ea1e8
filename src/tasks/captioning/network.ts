import type { ImageBatch } from "../../data/images/image-table.ts";
import type { DecoderState } from "../../decoding/decoder-steps.ts";
import { Attention, type AttentionMemory, countOfAttention, type Looks } from "../../nn/attention.ts";
import { Dropout } from "../../nn/dropout.ts";
import { Embedding } from "../../nn/embedding.ts";
import { identity, uniform, zeroParameter } from "../../nn/init.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { LSTM } from "../../nn/recurrent/lstm.ts";
import { RNN } from "../../nn/recurrent/rnn.ts";
import type { HiddenState } from "../../nn/recurrent/state.ts";
import { add } from "../../ops/binary.ts";
import { relu, tanh } from "../../ops/pointwise.ts";
import { concat, slice } from "../../ops/slice.ts";
import { transpose } from "../../ops/transpose.ts";
import { type Tensor, zeros } from "../../tensor/tensor.ts";
import { gridOf, type NetworkConfig } from "./config.ts";
import { countOfEncoder, type ImageEncoder, makeEncoder, vectorSize } from "./encoder.ts";

/**
 * What sees, and a recurrent network that tells. The image is added at the first step (Karpathy & Fei-Fei 2015, §3.2), or
 * is the first input (Vinyals et al. 2015). With attention it gives the state to begin with, and before each word its parts
 * are looked at, the state being the query: what was seen is an input, and tanh(W [z; h]) gives the word (Xu et al. 2015).
 */
export class CaptioningNetwork extends Module {
  readonly config: NetworkConfig;
  readonly encoder: ImageEncoder;
  /** Of an image's vector, to what the decoder reads or, with attention, to the state that it begins with. */
  readonly image: Linear;
  readonly embedding: Embedding;
  readonly decoder: RNN | LSTM;
  /** Of a cell's vector, to what is looked at; and a vector of each cell's own, which says where it is. */
  readonly cell: Linear | undefined;
  readonly places: Tensor | undefined;
  readonly attention: Attention | undefined;
  /** Of what was seen and h. */
  readonly combine: Linear | undefined;
  readonly output: Linear;
  readonly dropout: Dropout;

  constructor(config: NetworkConfig) {
    super();
    const { image, decoder, attention, vocabulary, embeddingSize: E, hiddenSize: H, dropout } = config;
    this.config = config;
    this.encoder = makeEncoder(image);
    this.image = new Linear(vectorSize(image), { rnn: H, lstm: E, attention: 2 * H }[decoder]);
    this.embedding = new Embedding(vocabulary, E);
    this.decoder =
      decoder === "rnn"
        ? new RNN({ inputSize: E + H, hiddenSize: H, nonlinearity: "relu" })
        : new LSTM({ inputSize: decoder === "lstm" ? E : E + H, hiddenSize: H, forgetGateBias: 1 });
    // What is shown once has to be remembered: a recurrent weight that begins as the identity forgets nothing.
    if (decoder === "rnn") identity(this.decoder.namedParameters().get("weight_hh_l0")!);
    if (decoder === "attention") {
      const [channels, rows, columns] = gridOf(image)!;
      this.cell = new Linear(channels, H);
      this.places = uniform(zeroParameter([rows * columns, 1, H]), -1, 1);
      this.attention = new Attention(attention, H, H);
      this.combine = new Linear(2 * H, E);
    }
    this.output = new Linear(this.combine ? E : H, vocabulary);
    this.dropout = new Dropout(dropout);
  }

  /** Images of a batch → what the decoder begins with. */
  encode(images: ImageBatch): DecoderState {
    const { vector, grid } = this.encoder.forward(images);
    const N = vector.shape[0]!;
    const first = this.dropout.forward(this.image.forward(vector)).reshape(1, N, -1);
    if (this.config.decoder === "rnn") {
      return { recurrent: this.decoder.zeroState(N), beside: first, memory: undefined };
    }
    if (this.config.decoder === "lstm") {
      const { state } = (this.decoder as LSTM).forward(first);
      return { recurrent: state, beside: undefined, memory: undefined };
    }
    const H = this.config.hiddenSize;
    const [h, c] = [tanh(slice(first, 2, 0, H)), tanh(slice(first, 2, H, 2 * H))];
    return { recurrent: { h, c } as HiddenState, beside: undefined, memory: this.#remember(grid, N) };
  }

  /** [N, C, rows, columns] → what is looked at */
  #remember(grid: Tensor | undefined, N: number): AttentionMemory | undefined {
    if (!this.attention || !this.cell || !this.places || !grid) return undefined;
    const [, C, rows, columns] = grid.shape as [number, number, number, number];
    const cells = transpose(grid.reshape(N, C, rows * columns), [2, 0, 1]);
    const values = relu(add(this.cell.forward(cells), this.places));
    return this.attention.remember(this.dropout.forward(values), new Array<number>(N).fill(rows * columns));
  }

  /**
   * tokens [T, N] → logits [T, N, V] of the tokens after them, the state then, and where was looked [N, T, cells], or of rows
   * that share memories by their `looks` [memories, most, cells].
   */
  decode(
    tokens: Tensor,
    { recurrent, beside, memory }: DecoderState,
    looks?: Looks,
  ): { logits: Tensor; state: DecoderState; weights: Tensor | undefined } {
    let x = this.dropout.forward(this.embedding.forward(tokens));
    if (this.attention && memory) return this.#look(this.attention, x, { recurrent, memory }, looks);
    if (this.config.decoder === "rnn") x = concat([x, this.#shown(x, beside)], 2);
    const { output: h, state } = (this.decoder as LSTM).forward(x, { state: recurrent as never });
    const logits = this.output.forward(this.dropout.forward(h));
    return { logits, state: { recurrent: state, beside: undefined, memory }, weights: undefined };
  }

  /** Step by step, since what is looked at depends on the step before. */
  #look(
    attention: Attention,
    x: Tensor,
    { recurrent: before, memory }: { recurrent: HiddenState; memory: AttentionMemory },
    looks: Looks | undefined,
  ) {
    let recurrent = before;
    const steps = Array.from({ length: x.shape[0]! }, (_, t) => {
      const { h } = recurrent;
      const { context, weights } = looks ? attention.look(h, memory, looks) : attention.forward(h, memory);
      const input = concat([x.shape[0] === 1 ? x : slice(x, 0, t, t + 1), context], 2);
      const { output, state } = (this.decoder as LSTM).forward(input, { state: recurrent as never });
      recurrent = state;
      return { told: concat([context, output], 2), weights };
    });
    const joined = (parts: Tensor[], axis: number) => (parts.length === 1 ? parts[0]! : concat(parts, axis));
    const told = tanh(
      this.combine!.forward(
        joined(
          steps.map((one) => one.told),
          0,
        ),
      ),
    );
    return {
      logits: this.output.forward(this.dropout.forward(told)),
      state: { recurrent, beside: undefined, memory },
      weights: joined(
        steps.map(({ weights }) => weights),
        1,
      ),
    };
  }

  /** What an image [1, N, H] adds to steps x [T, N, E]: to the first of a caption, and nothing to the others. */
  #shown(x: Tensor, image: Tensor | undefined): Tensor {
    const [T, N] = x.shape as [number, number];
    const H = this.config.hiddenSize;
    if (!image) return zeros([T, N, H]);
    return T === 1 ? image : concat([image, zeros([T - 1, N, H])], 0);
  }
}

/** How many numbers such a network has, without building it: a config nobody vouches for may ask for anything. */
export function countParameters(config: NetworkConfig): number {
  const { image, decoder, attention, vocabulary: V, embeddingSize: E, hiddenSize: H } = config;
  const linear = (from: number, to: number) => (from + 1) * to;
  const common = countOfEncoder(image) + V * E;
  if (decoder === "rnn") {
    return common + linear(vectorSize(image), H) + H * (E + H + H + 2) + linear(H, V);
  }
  if (decoder === "lstm") return common + linear(vectorSize(image), E) + 4 * H * (E + H + 2) + linear(H, V);
  const lstm = common + linear(vectorSize(image), 2 * H) + 4 * H * (E + H + H + 2);
  const [channels, rows, columns] = gridOf(image)!;
  const looks = linear(channels, H) + rows * columns * H + countOfAttention(attention, H, H);
  return lstm + looks + linear(2 * H, E) + linear(E, V);
}
