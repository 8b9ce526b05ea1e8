export { type AlignmentChunk, characterErrorRate, type ErrorRate, wordErrorRate } from "./error-rate.ts";
export { NgramModel } from "./ngram.ts";
export { bitsPerToken, perplexity } from "./perplexity.ts";
