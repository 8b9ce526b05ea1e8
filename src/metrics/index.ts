export { type AlignmentChunk, characterErrorRate, type ErrorRate, wordErrorRate } from "./error-rate.ts";
export { mixLogProbs, mixtureWeights } from "./mixture.ts";
export { bitsPerToken, perplexity } from "./perplexity.ts";
