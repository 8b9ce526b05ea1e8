import type { Engine } from "./engine.ts";
import type { Family } from "./generated/abi.ts";

/** Small computations with known answers, run when a family is first compiled; false means: do not trust this build. */
export const selfChecks: Partial<Record<Family, (engine: Engine) => boolean>> = {};
