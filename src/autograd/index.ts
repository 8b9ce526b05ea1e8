export { noGrad, step } from "./step.ts";
