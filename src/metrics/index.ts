export { BLEU, type BleuOptions, type BleuScore } from "./bleu.ts";
export type { BleuTokenizer } from "./bleu-tokenizers.ts";
export {
  type BootstrapOptions,
  bootstrap,
  type Confidence,
  type PairedComparison,
  pairedBootstrap,
} from "./bootstrap.ts";
export { type CaptionScores, captionScores } from "./caption-scores.ts";
export { CHRF, type ChrfOptions } from "./chrf.ts";
export { CiderD } from "./cider-d.ts";
export { type AlignmentChunk, characterErrorRate, type ErrorRate, wordErrorRate } from "./error-rate.ts";
export { Meteor } from "./meteor.ts";
export { Metric, type MetricScore } from "./metric.ts";
export { mixLogProbs, mixtureWeights } from "./mixture.ts";
export { bitsPerToken, perplexity } from "./perplexity.ts";
export { RougeL } from "./rouge-l.ts";
export { TER, type TerOptions, type TerScore } from "./ter.ts";
