import type { DecoderState } from "../../decoding/decoder-steps.ts";
import { Attention, countOfAttention, type Looks } from "../../nn/attention.ts";
import { Dropout } from "../../nn/dropout.ts";
import { Embedding } from "../../nn/embedding.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { GRU } from "../../nn/recurrent/gru.ts";
import { LSTM } from "../../nn/recurrent/lstm.ts";
import { mapParts } from "../../nn/recurrent/state.ts";
import { add } from "../../ops/binary.ts";
import { packingOnce } from "../../ops/gemm.ts";
import { tanh } from "../../ops/pointwise.ts";
import { concat, slice } from "../../ops/slice.ts";
import { transpose } from "../../ops/transpose.ts";
import { type Tensor, tensor, zeros } from "../../tensor/tensor.ts";
import type { NetworkConfig } from "./config.ts";

const layers = { lstm: LSTM, gru: GRU };

/**
 * An encoder that reads the source, and a decoder that begins with its state and writes the target (Sutskever et al. 2014);
 * with attention it looks back at each step, and h̃ = tanh(W [c; h]) gives the next token (Luong et al. 2015, eq. 5). With
 * input feeding h̃ is part of the next step's input (§3.3 there). A conditional decoder looks between its two cells, the
 * second of which reads what was seen (Sennrich et al. 2017, §4). Without attention the encoder's last state may be the
 * context of every step, an input and part of [c; h] (Cho et al. 2014, §2.2).
 */
export class TranslationNetwork extends Module {
  readonly config: NetworkConfig;
  readonly sourceEmbedding: Embedding;
  readonly targetEmbedding: Embedding;
  readonly encoder: LSTM | GRU;
  readonly decoder: LSTM | GRU;
  /** Of a conditional decoder: the cell that reads the context. */
  readonly transition: LSTM | GRU | undefined;
  readonly attention: Attention | undefined;
  /** Of h and, with attention, the context, to the output's width. */
  readonly combine: Linear;
  readonly output: Linear;
  readonly dropout: Dropout;

  constructor(config: NetworkConfig, { joint = false } = {}) {
    super();
    const { cell, sourceVocabulary, targetVocabulary, embeddingSize, hiddenSize, numLayers } = config;
    const { bidirectional, attention, decoder, dropout, tieWeights } = config;
    this.config = config;
    this.sourceEmbedding = new Embedding(sourceVocabulary, embeddingSize);
    this.targetEmbedding = new Embedding(targetVocabulary, embeddingSize);
    const shape = { inputSize: embeddingSize, numLayers, dropout };
    const half = bidirectional ? hiddenSize / 2 : hiddenSize;
    this.encoder = new layers[cell]({ ...shape, hiddenSize: half, bidirectional });
    const inputSize = embeddingSize + besideSize(config);
    this.decoder = new layers[cell]({ ...shape, inputSize, hiddenSize });
    if (decoder === "conditional") this.transition = new layers[cell]({ inputSize: hiddenSize, hiddenSize });
    this.attention = attention === "none" ? undefined : new Attention(attention, hiddenSize, hiddenSize);
    this.combine = new Linear(combinedSize(config), embeddingSize);
    this.output = new Linear(embeddingSize, targetVocabulary);
    this.dropout = new Dropout(dropout);
    if (!tieWeights) return;
    // The output's initial weights: the embedding's are too large for logits.
    (this.targetEmbedding as { weight: Tensor }).weight = this.output.weight;
    if (joint) (this.sourceEmbedding as { weight: Tensor }).weight = this.output.weight;
  }

  /** source [S, N], of which sentence n has lengths[n] tokens → what the decoder begins with. */
  encode(source: Tensor, lengths: Int32Array): DecoderState {
    const x = this.dropout.forward(this.sourceEmbedding.forward(source));
    const { output, state } = (this.encoder as LSTM).forward(x, { lengths: tensor(lengths) });
    const recurrent = this.config.bidirectional ? mapParts(state, sideBySide) : state;
    const memory = this.attention?.remember(this.dropout.forward(output), lengths);
    return { recurrent, beside: this.#firstBeside(recurrent.h), memory };
  }

  /** With input feeding h̃ before the first step; of decoder "context" the last layer's state, h [L, N, H]. */
  #firstBeside(h: Tensor): Tensor | undefined {
    const { decoder, embeddingSize } = this.config;
    const [L, N] = h.shape as [number, number, number];
    if (decoder === "input-feeding") return zeros([1, N, embeddingSize]);
    return decoder === "context" ? slice(h, 0, L - 1) : undefined;
  }

  /**
   * tokens [T, N] → logits [T, N, V] of the tokens after them, the state then, and where was looked [N, T, S], or of rows that
   * share memories by their `looks` [memories, most, S].
   */
  decode(
    tokens: Tensor,
    start: DecoderState,
    looks?: Looks,
  ): { logits: Tensor; state: DecoderState; weights: Tensor | undefined } {
    const x = this.dropout.forward(this.targetEmbedding.forward(tokens));
    const T = x.shape[0]!;
    if (this.config.decoder === "plain" || this.config.decoder === "context" || T === 1) {
      const { combined, ...rest } = this.#advance(x, start, looks);
      return { logits: this.#logits(combined), ...rest };
    }
    // Where a step needs what the step before has seen, only the output can be computed for all of them at once.
    let state = start;
    const steps = packingOnce(() =>
      Array.from({ length: T }, (_, t) => {
        const step = this.#advance(slice(x, 0, t, t + 1), state, looks);
        state = step.state;
        return step;
      }),
    );
    const combined = concat(
      steps.map((step) => step.combined),
      0,
    );
    const weights = steps.map((step) => step.weights!);
    return { logits: this.#logits(combined), state, weights: concat(weights, 1) };
  }

  #logits(combined: Tensor): Tensor {
    return this.output.forward(this.dropout.forward(combined));
  }

  /** x [T, N, E] → h̃ [T, N, E] */
  #advance(x: Tensor, { recurrent, beside, memory }: DecoderState, looks: Looks | undefined) {
    const [T, N] = x.shape as [number, number, number];
    const context = beside && this.config.decoder === "context" ? everyStep(beside, T, N) : undefined;
    const input = beside ? concat([x, context ?? beside], 2) : x;
    let { output: h, state } = (this.decoder as LSTM).forward(input, { state: recurrent as never });
    const seen =
      this.attention &&
      memory &&
      (looks ? this.attention.look(h, memory, looks) : this.attention.forward(h, memory));
    if (this.transition && seen) {
      ({ output: h, state } = (this.transition as LSTM).forward(seen.context, { state }));
    }
    const c = seen?.context ?? context;
    const combined = tanh(this.combine.forward(c ? concat([c, h], 2) : h));
    const next: DecoderState = { recurrent: state, beside: context ? beside : beside && combined, memory };
    return { combined, state: next, weights: seen?.weights };
  }
}

/** [1, N, H] → [T, N, H] */
function everyStep(context: Tensor, T: number, N: number): Tensor {
  return T === 1 ? context : add(context, zeros([T, N, context.shape[2]!]));
}

/** How wide what a step reads besides its token is. */
function besideSize({ decoder, embeddingSize, hiddenSize }: NetworkConfig): number {
  return { plain: 0, conditional: 0, context: hiddenSize, "input-feeding": embeddingSize }[decoder];
}

/** How wide [c; h] is, or h where there is no context. */
function combinedSize({ attention, decoder, hiddenSize }: NetworkConfig): number {
  return attention === "none" && decoder !== "context" ? hiddenSize : 2 * hiddenSize;
}

/** [2L, N, H/2], rows of one layer side by side → [L, N, H] */
function sideBySide(part: Tensor): Tensor {
  const [rows, N, half] = part.shape as [number, number, number];
  return transpose(part.reshape(rows / 2, 2, N, half), [0, 2, 1, 3]).reshape(rows / 2, N, 2 * half);
}

/** How many numbers such a network has, without building it: a config nobody vouches for may ask for anything. */
export function countParameters(config: NetworkConfig, joint: boolean): number {
  const { cell, sourceVocabulary, targetVocabulary, embeddingSize: E, hiddenSize: H, numLayers } = config;
  const { bidirectional, attention, decoder, tieWeights } = config;
  const gates = { lstm: 4, gru: 3 }[cell];
  const recurrent = (width: number, directions: number, inputSize: number) => {
    const layer = (input: number) => directions * gates * width * (input + width + 2);
    return layer(inputSize) + (numLayers - 1) * layer(width * directions);
  };
  const tables = tieWeights ? (joint ? 1 : 2) : 3;
  const vocabularies = tables === 1 ? targetVocabulary : sourceVocabulary + (tables - 1) * targetVocabulary;
  const looks = attention === "none" ? 0 : countOfAttention(attention, H, H);
  const combine = E * (combinedSize(config) + 1);
  const encoder = bidirectional ? recurrent(H / 2, 2, E) : recurrent(H, 1, E);
  const writer = recurrent(H, 1, E + besideSize(config));
  const transition = decoder === "conditional" ? gates * H * (2 * H + 2) : 0;
  return vocabularies * E + targetVocabulary + encoder + writer + transition + looks + combine;
}
