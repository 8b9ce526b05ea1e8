export { type SamplingOptions, sampleToken } from "./sampling.ts";
export { StopStrings } from "./stop-strings.ts";
