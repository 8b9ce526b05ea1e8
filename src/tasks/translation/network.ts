import { Attention, type AttentionMemory, countOfAttention } from "../../nn/attention.ts";
import { Dropout } from "../../nn/dropout.ts";
import { Embedding } from "../../nn/embedding.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { GRU } from "../../nn/recurrent/gru.ts";
import { LSTM } from "../../nn/recurrent/lstm.ts";
import { type HiddenState, mapParts } from "../../nn/recurrent/state.ts";
import { gather } from "../../ops/gather.ts";
import { tanh } from "../../ops/pointwise.ts";
import { concat } from "../../ops/slice.ts";
import { transpose } from "../../ops/transpose.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { NetworkConfig } from "./config.ts";

/** Begins and ends every sentence; the tokenizers' tokens come after it. */
export const BOUNDARY = 0;

/** What the decoder knows between its steps. */
export interface DecoderState {
  recurrent: HiddenState;
  memory: AttentionMemory | undefined;
}

const layers = { lstm: LSTM, gru: GRU };

/**
 * An encoder that reads the source, and a decoder that begins with its state and writes the target (Sutskever et al. 2014);
 * with attention it looks back at each step, and h̃ = tanh(W [c; h]) gives the next token (Luong et al. 2015, eq. 5).
 */
export class TranslationNetwork extends Module {
  readonly config: NetworkConfig;
  readonly sourceEmbedding: Embedding;
  readonly targetEmbedding: Embedding;
  readonly encoder: LSTM | GRU;
  readonly decoder: LSTM | GRU;
  readonly attention: Attention | undefined;
  /** Of h and, with attention, the context, to the output's width. */
  readonly combine: Linear;
  readonly output: Linear;
  readonly dropout: Dropout;

  constructor(config: NetworkConfig, { joint = false } = {}) {
    super();
    const { cell, sourceVocabulary, targetVocabulary, embeddingSize, hiddenSize, numLayers } = config;
    const { bidirectional, attention, dropout, tieWeights } = config;
    this.config = config;
    this.sourceEmbedding = new Embedding(sourceVocabulary, embeddingSize);
    this.targetEmbedding = new Embedding(targetVocabulary, embeddingSize);
    const shape = { inputSize: embeddingSize, numLayers, dropout };
    const half = bidirectional ? hiddenSize / 2 : hiddenSize;
    this.encoder = new layers[cell]({ ...shape, hiddenSize: half, bidirectional });
    this.decoder = new layers[cell]({ ...shape, hiddenSize });
    this.attention = attention === "none" ? undefined : new Attention(attention, hiddenSize, hiddenSize);
    this.combine = new Linear(this.attention ? 2 * hiddenSize : hiddenSize, embeddingSize);
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
    return { recurrent, memory: this.attention?.remember(this.dropout.forward(output), lengths) };
  }

  /** tokens [T, N] → logits [T, N, V] of the tokens after them, the state then, and where was looked [N, T, S]. */
  decode(
    tokens: Tensor,
    { recurrent, memory }: DecoderState,
  ): { logits: Tensor; state: DecoderState; weights: Tensor | undefined } {
    const x = this.dropout.forward(this.targetEmbedding.forward(tokens));
    const { output: h, state } = (this.decoder as LSTM).forward(x, { state: recurrent as never });
    const seen = this.attention && memory ? this.attention.forward(h, memory) : undefined;
    const combined = tanh(this.combine.forward(seen ? concat([seen.context, h], 2) : h));
    const logits = this.output.forward(this.dropout.forward(combined));
    return { logits, state: { recurrent: state, memory }, weights: seen?.weights };
  }
}

/** [2L, N, H/2], rows of one layer side by side → [L, N, H] */
function sideBySide(part: Tensor): Tensor {
  const [rows, N, half] = part.shape as [number, number, number];
  return transpose(part.reshape(rows / 2, 2, N, half), [0, 2, 1, 3]).reshape(rows / 2, N, 2 * half);
}

/** The states of some rows, in another order, some perhaps more than once. */
export function chooseStates(state: HiddenState, rows: Int32Array): HiddenState {
  const chosen = tensor(rows);
  return mapParts(state, (part) => gather(part, chosen, 1));
}

/** What the rows of some sentences look at. */
export function chooseMemory(
  memory: AttentionMemory | undefined,
  sentences: Int32Array,
): AttentionMemory | undefined {
  if (!memory) return undefined;
  const chosen = tensor(sentences);
  return {
    values: gather(memory.values, chosen, 0),
    keys: gather(memory.keys, chosen, 0),
    mask: gather(memory.mask, chosen, 0),
  };
}

/** How many numbers such a network has, without building it: a config nobody vouches for may ask for anything. */
export function countParameters(config: NetworkConfig, joint: boolean): number {
  const { cell, sourceVocabulary, targetVocabulary, embeddingSize: E, hiddenSize: H, numLayers } = config;
  const { bidirectional, attention, tieWeights } = config;
  const gates = { lstm: 4, gru: 3 }[cell];
  const recurrent = (width: number, directions: number) => {
    const layer = (input: number) => directions * gates * width * (input + width + 2);
    return layer(E) + (numLayers - 1) * layer(width * directions);
  };
  const tables = tieWeights ? (joint ? 1 : 2) : 3;
  const vocabularies = tables === 1 ? targetVocabulary : sourceVocabulary + (tables - 1) * targetVocabulary;
  const looks = attention === "none" ? 0 : countOfAttention(attention, H, H);
  const combine = E * ((attention === "none" ? H : 2 * H) + 1);
  const encoder = bidirectional ? recurrent(H / 2, 2) : recurrent(H, 1);
  return vocabularies * E + targetVocabulary + encoder + recurrent(H, 1) + looks + combine;
}
