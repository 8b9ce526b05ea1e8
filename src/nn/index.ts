export { Dropout } from "./dropout.ts";
export { Embedding } from "./embedding.ts";
export * as init from "./init.ts";
export { Linear } from "./linear.ts";
export { Module } from "./module.ts";
export { GRU, type GRUOptions, type GRUState } from "./recurrent/gru.ts";
export { LSTM, type LSTMOptions, type LSTMState } from "./recurrent/lstm.ts";
export type { RecurrentOptions, SequenceOptions } from "./recurrent/recurrent.ts";
export { RNN, type RNNOptions, type RNNState } from "./recurrent/rnn.ts";
