export { checkGradients, checkParity, expectClose, type OpCase, relativeError, runCase } from "./check-op.ts";
export { withReference } from "./reference-backend.ts";
