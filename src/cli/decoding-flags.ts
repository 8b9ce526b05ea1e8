import { Option } from "commander";
import type { DecodingOptions } from "../tasks/speech/decoder.ts";
import { numberFlag } from "./flags.ts";

/** What `decodingFlags` give. */
export type DecodingFlags = Omit<DecodingOptions, "lexicon"> & { lexicon?: string };

/** How a recogniser's labels become a text: by best path unless one of these is given. */
export const decodingFlags = (): Option[] => [
  numberFlag(
    "--beam <n>",
    "hypotheses that a beam search keeps (default: 50 with --lm or --lexicon, else no search)",
  ),
  new Option(
    "--lm <path>",
    "a language model of words or characters: an n-gram file *.arpa, or the folder of a model, recurrent or n-gram",
  ),
  new Option("--lm-unit <unit>", "what the tokens of a file *.arpa are, word or char (default: word)"),
  numberFlag("--lm-weight <x>", "what the language model's logarithms are multiplied by (default: 1)"),
  numberFlag("--insertion-bonus <x>", "added for each word, or character of such a model (default: 0)"),
  new Option("--lexicon <file>", "the only words there are, one in each line"),
];

/** A language model that is read once, whatever it is used for. */
export async function readLanguageModel<T extends DecodingFlags>(flags: T): Promise<T> {
  const { lm, lmUnit } = flags;
  if (typeof lm !== "string") return flags;
  const { readLanguageModel: read } = await import("../tasks/speech/language-model.ts");
  return { ...flags, lm: await read(lm, lmUnit), lmUnit: undefined };
}
