export { batchNorm } from "./batch-norm.ts";
export { add, div, maximum, minimum, mul, sub } from "./binary.ts";
export { type Conv2dOptions, conv2d } from "./conv2d.ts";
export { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
export { type CtcLossOptions, ctcLoss } from "./ctc-loss.ts";
export { type DropoutOptions, dropout } from "./dropout.ts";
export {
  type ExpectedTranscriptionLossOptions,
  expectedTranscriptionLoss,
} from "./expected-transcription-loss.ts";
export { embedding, gather } from "./gather.ts";
export { type GruOptions, gru } from "./gru.ts";
export { toInt8 } from "./int8.ts";
export { layerNorm } from "./layer-norm.ts";
export { linear } from "./linear.ts";
export { complexScan, type LinearScanOptions, linearScan } from "./linear-scan.ts";
export { type LstmInputs, lstm } from "./lstm.ts";
export { matmul } from "./matmul.ts";
export { type MinimalInputs, type MinimalOptions, minGru, minLstm } from "./minimal.ts";
export { type MlstmInputs, mlstm } from "./mlstm.ts";
export { mrnn } from "./mrnn.ts";
export type { MultiplicativeInputs } from "./multiplicative.ts";
export { maskPadding } from "./padding.ts";
export { abs, clamp, exp, log, neg, pow, relu, sigmoid, sqrt, square, tanh } from "./pointwise.ts";
export { polar } from "./polar.ts";
export { avgPool2d, maxPool2d, type PoolOptions } from "./pool2d.ts";
export { argmax, max, mean, type ReduceOptions, sum } from "./reduce.ts";
export { reverseSequences } from "./reverse-sequences.ts";
export { type Nonlinearity, type RnnOptions, rnn } from "./rnn.ts";
export { type ScanCell, type ScanOptions, type ScanState, scan } from "./scan.ts";
export type { SequenceInputs } from "./sequence.ts";
export { concat, slice, stack } from "./slice.ts";
export { logSoftmax, softmax } from "./softmax.ts";
export { transpose } from "./transpose.ts";
export type { Pair } from "./window.ts";
