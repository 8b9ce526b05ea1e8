export { type OpProfile, type Profile, Profiler } from "./profile.ts";
export { noGrad, step } from "./step.ts";
