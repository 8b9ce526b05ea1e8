/**
 * Every op definition, by name. For tests and other backends alone: the library imports ops one by one, so that a bundle
 * holds only those it uses.
 */

export { batchNormOp as batchNorm } from "./batch-norm.ts";
export {
  addOp as add,
  divOp as div,
  maximumOp as maximum,
  minimumOp as minimum,
  mulOp as mul,
  subOp as sub,
} from "./binary.ts";
export { classCrossEntropyOp as classCrossEntropy } from "./class-cross-entropy.ts";
export { classLogProbsOp as classLogProbs } from "./class-log-probs.ts";
export { classSampleOp as classSample } from "./class-sample.ts";
export { conv2dOp as conv2d } from "./conv2d.ts";
export { crossEntropyOp as crossEntropy } from "./cross-entropy.ts";
export { ctcLossOp as ctcLoss } from "./ctc-loss.ts";
export { dropoutOp as dropout } from "./dropout.ts";
export { expectedTranscriptionLossOp as expectedTranscriptionLoss } from "./expected-transcription-loss.ts";
export { embeddingOp as embedding, gatherOp as gather } from "./gather.ts";
export { gruOp as gru } from "./gru.ts";
export { addScaledOp as addScaled, assignOp as assign, scaleInPlaceOp as scaleInPlace } from "./in-place.ts";
export { layerNormOp as layerNorm } from "./layer-norm.ts";
export { linearOp as linear } from "./linear.ts";
export { complexScanOp as complexScan, linearScanOp as linearScan } from "./linear-scan.ts";
export { lstmOp as lstm } from "./lstm.ts";
export { matmulOp as matmul } from "./matmul.ts";
export { firstNonFiniteOp as firstNonFinite, normOp as norm } from "./measure.ts";
export { minGruOp as minGru, minLstmOp as minLstm } from "./minimal.ts";
export { mlstmOp as mlstm } from "./mlstm.ts";
export { mrnnOp as mrnn } from "./mrnn.ts";
export { ngramHashesOp as ngramHashes } from "./ngram-hashes.ts";
export {
  adagradOp as adagrad,
  adamOp as adam,
  clampGradientOp as clampGradient,
  rmspropOp as rmsprop,
  sgdOp as sgd,
} from "./optimizer.ts";
export { holdStateOp as holdState, maskPaddingOp as maskPadding } from "./padding.ts";
export {
  absOp as abs,
  clampOp as clamp,
  expOp as exp,
  logOp as log,
  negOp as neg,
  powOp as pow,
  reluOp as relu,
  sigmoidOp as sigmoid,
  sqrtOp as sqrt,
  squareOp as square,
  tanhOp as tanh,
} from "./pointwise.ts";
export { polarOp as polar } from "./polar.ts";
export { avgPool2dOp as avgPool2d, maxPool2dOp as maxPool2d } from "./pool2d.ts";
export { argmaxOp as argmax, maxOp as max, meanOp as mean, sumOp as sum } from "./reduce.ts";
export { reverseSequencesOp as reverseSequences } from "./reverse-sequences.ts";
export { rnnOp as rnn } from "./rnn.ts";
export { concatOp as concat, sliceOp as slice } from "./slice.ts";
export { logSoftmaxOp as logSoftmax, softmaxOp as softmax } from "./softmax.ts";
export { topLogProbsOp as topLogProbs } from "./top-log-probs.ts";
export { transposeOp as transpose } from "./transpose.ts";
