import { Dropout } from "../../nn/dropout.ts";
import { Embedding } from "../../nn/embedding.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { GRU, type GRUState } from "../../nn/recurrent/gru.ts";
import { LSTM, type LSTMState } from "../../nn/recurrent/lstm.ts";
import { RNN, type RNNState } from "../../nn/recurrent/rnn.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NetworkConfig } from "./config.ts";
import { type StreamState, type TokenStream, TokenStreams } from "./stream.ts";

export type NetworkState = RNNState | GRUState | LSTMState;

/**
 * Embedding → dropout → recurrent layers → dropout → linear. The forget gates begin with a bias of 1, so that a fresh
 * LSTM remembers (Gers et al. 2000), and the loss begins at ln V: all tokens are about equally likely.
 */
export class LanguageModelNetwork extends Module {
  readonly embedding: Embedding;
  readonly rnn: RNN | LSTM | GRU;
  readonly output: Linear;
  readonly embeddingDropout: Dropout;
  readonly outputDropout: Dropout;
  readonly config: NetworkConfig;
  #streams: TokenStreams | undefined;

  constructor(config: NetworkConfig) {
    super();
    const { vocabularySize, embeddingSize, hiddenSize, dropout, tieWeights } = config;
    this.config = config;
    this.embedding = new Embedding(vocabularySize, embeddingSize);
    this.rnn = makeLayers(config);
    this.output = new Linear(hiddenSize, vocabularySize);
    this.embeddingDropout = new Dropout(dropout);
    this.outputDropout = new Dropout(dropout);
    // The output's initial weights: the embedding's are too large for logits.
    if (tieWeights) (this.embedding as { weight: Tensor }).weight = this.output.weight;
  }

  /** tokens [T, N] → logits [T, N, V], and the state to carry on with. */
  forward(tokens: Tensor, state?: NetworkState): { logits: Tensor; state: NetworkState } {
    const embedded = this.embeddingDropout.forward(this.embedding.forward(tokens));
    // Which state belongs to which layer, the type of `rnn` does not say.
    const { output, state: next } = this.rnn.forward(embedded, { state: state as LSTMState | undefined });
    return { logits: this.output.forward(this.outputDropout.forward(output)), state: next };
  }

  /** Runs token by token, from the beginning of a text or from where another stream was. */
  stream(from?: StreamState): TokenStream {
    this.#streams ??= new TokenStreams(this);
    return this.#streams.create(from);
  }
}

function makeLayers({ cell, embeddingSize, hiddenSize, numLayers, dropout, nonlinearity }: NetworkConfig) {
  const options = { inputSize: embeddingSize, hiddenSize, numLayers, dropout };
  switch (cell) {
    case "rnn":
      return new RNN({ ...options, nonlinearity: nonlinearity ?? "tanh" });
    case "gru":
      return new GRU(options);
    case "lstm":
      return new LSTM({ ...options, forgetGateBias: 1 });
  }
}

const gates = { rnn: 1, gru: 3, lstm: 4 } as const;

/** How many numbers such a network has, without building it: a config nobody vouches for may ask for anything. */
export function countParameters(config: NetworkConfig): number {
  const { vocabularySize, embeddingSize, cell, hiddenSize, numLayers, tieWeights } = config;
  let count = vocabularySize * (embeddingSize + 1);
  if (!tieWeights) count += vocabularySize * hiddenSize;
  for (let layer = 0; layer < numLayers; layer++) {
    const inputSize = layer === 0 ? embeddingSize : hiddenSize;
    count += gates[cell] * hiddenSize * (inputSize + hiddenSize + 2);
  }
  return count;
}
