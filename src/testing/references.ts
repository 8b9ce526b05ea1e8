import type { ReferenceOf } from "../autograd/op.ts";
import * as batchNorm from "../ops/batch-norm.reference.ts";
import * as binary from "../ops/binary.reference.ts";
import * as classCrossEntropy from "../ops/class-cross-entropy.reference.ts";
import * as conv2d from "../ops/conv2d.reference.ts";
import * as crossEntropy from "../ops/cross-entropy.reference.ts";
import * as ctcLoss from "../ops/ctc-loss.reference.ts";
import type * as definitions from "../ops/definitions.ts";
import * as dropout from "../ops/dropout.reference.ts";
import * as expectedTranscriptionLoss from "../ops/expected-transcription-loss.reference.ts";
import * as gather from "../ops/gather.reference.ts";
import * as gru from "../ops/gru.reference.ts";
import * as inPlace from "../ops/in-place.reference.ts";
import * as layerNorm from "../ops/layer-norm.reference.ts";
import * as linear from "../ops/linear.reference.ts";
import * as linearScan from "../ops/linear-scan.reference.ts";
import * as lstm from "../ops/lstm.reference.ts";
import * as matmul from "../ops/matmul.reference.ts";
import * as measure from "../ops/measure.reference.ts";
import * as minimal from "../ops/minimal.reference.ts";
import * as multiplicative from "../ops/multiplicative.reference.ts";
import * as ngramHashes from "../ops/ngram-hashes.reference.ts";
import * as optimizer from "../ops/optimizer.reference.ts";
import * as padding from "../ops/padding.reference.ts";
import * as pointwise from "../ops/pointwise.reference.ts";
import * as polar from "../ops/polar.reference.ts";
import * as pool2d from "../ops/pool2d.reference.ts";
import * as reduce from "../ops/reduce.reference.ts";
import * as reverseSequences from "../ops/reverse-sequences.reference.ts";
import * as rnn from "../ops/rnn.reference.ts";
import * as slice from "../ops/slice.reference.ts";
import * as softmax from "../ops/softmax.reference.ts";
import * as transpose from "../ops/transpose.reference.ts";

/** The float64 reference of every op: one that is missing, or has another signature, does not compile. */
export const references = {
  ...batchNorm,
  ...conv2d,
  ...linear,
  ...linearScan,
  ...lstm,
  ...matmul,
  ...binary,
  ...inPlace,
  ...measure,
  ...minimal,
  ...multiplicative,
  ...gru,
  ...optimizer,
  ...padding,
  ...pointwise,
  ...polar,
  ...pool2d,
  ...rnn,
  ...gather,
  ...reverseSequences,
  ...slice,
  ...transpose,
  ...classCrossEntropy,
  ...crossEntropy,
  ...ctcLoss,
  ...expectedTranscriptionLoss,
  ...ngramHashes,
  ...softmax,
  ...dropout,
  ...layerNorm,
  ...reduce,
} satisfies { [Name in keyof typeof definitions]: ReferenceOf<(typeof definitions)[Name]> };
