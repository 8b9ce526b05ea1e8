import { Option } from "commander";
import { numberFlag } from "./flags.ts";

/** The flags that say how a beam search ranks what it finds. */
export const rankingFlags = (of = ""): Option[] => [
  numberFlag("--length-penalty <x>", `${of}scores are divided by length to this power (default: 1)`),
  numberFlag("--coverage-penalty <x>", `${of}what parts of the source unseen cost (default: 0)`),
];

/** All flags of a beam search. */
export const beamFlags = (): Option[] => [
  numberFlag("--beam <n>", "how many hypotheses go on side by side; 1 is greedy (default: 1)"),
  ...rankingFlags(),
];

export const tokenizeFlag = (): Option =>
  new Option("--tokenize <how>", "what BLEU takes for words: 13a, intl, zh, char or none (default: 13a)");
