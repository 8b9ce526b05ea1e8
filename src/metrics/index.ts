export { NgramModel } from "./ngram.ts";
export { bitsPerToken, perplexity } from "./perplexity.ts";
