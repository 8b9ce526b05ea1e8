/** What a model in use seldom needs: fetched, all at once, when it first does. */
export { dynamicTokenLosses } from "./dynamic.ts";
export { evaluateGaps, fillGap } from "./fill.ts";
export { cachedTokenLosses } from "./neural-cache.ts";
export { sampleTexts } from "./sample.ts";
