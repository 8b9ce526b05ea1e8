import { describe, it } from "vitest";
import { type CtcLossOptions, ctcLoss } from "../../../src/ops/index.ts";
import { checkGolden, readGolden } from "./golden.ts";

describe("ctcLoss agrees with PyTorch", () => {
  for (const golden of readGolden<CtcLossOptions>("ctc")) {
    it(golden.name, () =>
      checkGolden(golden, ({ logits, targets, inputLengths, targetLengths }, options) => ({
        y: ctcLoss(logits!, targets!, inputLengths!, targetLengths!, options),
      })),
    );
  }
});
