export { Adagrad, type AdagradOptions } from "./adagrad.ts";
export { Adam, type AdamOptions, AdamW } from "./adam.ts";
export { clipGradNorm, clipGradValue } from "./clip.ts";
export { type Curvature, HessianFree, type HessianFreeOptions } from "./hessian-free.ts";
export { type Optimizable, Optimizer, type OptimizerOptions, type ParameterGroup } from "./optimizer.ts";
export { RMSProp, type RMSPropOptions } from "./rmsprop.ts";
export {
  constantSchedule,
  cosineSchedule,
  type Moment,
  plateauSchedule,
  type Schedule,
  type ScheduleState,
  stepSchedule,
} from "./schedule.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
