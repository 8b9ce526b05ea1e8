import { expect, it } from "vitest";
import { bitsPerToken, perplexity } from "./perplexity.ts";

it("a uniform guess among V has perplexity V and log2 V bits", () => {
  expect(perplexity(Math.log(65))).toBeCloseTo(65, 10);
  expect(bitsPerToken(Math.log(64))).toBeCloseTo(6, 12);
});
