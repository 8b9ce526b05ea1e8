import type { Option } from "commander";
import { numberFlag } from "./flags.ts";

/** The flags of a beam search. */
export const beamFlags = (): Option[] => [
  numberFlag("--beam <n>", "how many hypotheses go on side by side; 1 is greedy (default: 1)"),
  numberFlag("--length-penalty <x>", "scores are divided by length to this power (default: 1)"),
];
