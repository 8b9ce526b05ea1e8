export { type AlignmentChunk, characterErrorRate, type ErrorRate, wordErrorRate } from "./error-rate.ts";
export { bitsPerToken, perplexity } from "./perplexity.ts";
