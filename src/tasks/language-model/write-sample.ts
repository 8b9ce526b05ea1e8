import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { checkGenerateOptions, TextStream } from "./generate.ts";
import type { LanguageModelNetwork } from "./network.ts";

/** Tokens of a sample. */
const SAMPLE_LENGTH = 200;

/** A line begun anew, or what follows the first token where there are no lines. With one seed, samples compare. */
export function writeSample(network: LanguageModelNetwork, tokenizer: Tokenizer, seed: number): string {
  const begin = tokenizer.lineBreak ?? 0;
  const options = checkGenerateOptions("sample", { maxTokens: SAMPLE_LENGTH, temperature: 0.8, seed });
  const prompt = { tokens: Int32Array.of(begin), text: "" };
  const stream = () => network.eval().stream();
  return [...new TextStream({ stream, tokenizer }, prompt, options)].join("");
}
