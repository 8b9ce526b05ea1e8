import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { joinPath } from "../../io/files.ts";
import type { RunLog } from "../../training/logs/run-log.ts";
import { checkGenerateOptions, TextStream } from "./generate.ts";
import type { LanguageModelNetwork } from "./network.ts";
import type { ResolvedOptions } from "./options.ts";

/** Tokens of a sample. */
const SAMPLE_LENGTH = 200;

/** The log a training writes, where it has a folder to write into; what a page does not use, it does not load. */
export async function openLog(
  { out, logDir = out && joinPath(out, "training", "logs"), log = [] }: ResolvedOptions,
  options: Record<string, unknown>,
  resumedFrom: number | undefined,
): Promise<RunLog | undefined> {
  if (logDir === undefined) return undefined;
  const { RunLog } = await import("../../training/logs/run-log.ts");
  return RunLog.open({ folder: logDir, formats: log, task: "language-model", options, step: resumedFrom });
}

/** A line begun anew, or what follows the first token where there are no lines. With one seed, samples compare. */
export function writeSample(network: LanguageModelNetwork, tokenizer: Tokenizer, seed: number): string {
  const begin = tokenizer.lineBreak ?? 0;
  const options = checkGenerateOptions("sample", { maxTokens: SAMPLE_LENGTH, temperature: 0.8, seed });
  const prompt = { tokens: Int32Array.of(begin), text: "" };
  const stream = () => network.eval().stream();
  return [...new TextStream({ stream, tokenizer }, prompt, options)].join("");
}
