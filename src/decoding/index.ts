export {
  type BeamHypothesis,
  type BeamOptions,
  type BeamStep,
  beamSearch,
} from "./beam-search.ts";
export { alignLabels, ctcBestPath, type LabelSpan, type WordSpan, wordSpans } from "./ctc/alignment.ts";
export {
  CtcBeamSearch,
  type CtcDecodingOptions,
  type CtcHypothesis,
  ctcBeamSearch,
} from "./ctc/beam-search.ts";
export type { CtcLanguageModel, TransitionModel } from "./ctc/language-model.ts";
export { Lexicon } from "./ctc/lexicon.ts";
export { type TranscribedFrames, type TuningResult, tuneCtcDecoding } from "./ctc/tuning.ts";
export { type SamplingOptions, sampleToken } from "./sampling.ts";
export { StopStrings } from "./stop-strings.ts";
