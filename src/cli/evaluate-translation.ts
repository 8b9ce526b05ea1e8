import { OptionError } from "../errors.ts";
import type { BleuTokenizer } from "../metrics/bleu-tokenizers.ts";
import { duration, percent } from "./ui/format.ts";
import { ProgressBar } from "./ui/progress.ts";

export interface TranslationFlags {
  source?: string;
  reference?: string;
  beam?: number;
  lengthPenalty?: number;
  coveragePenalty?: number;
  with?: string[];
  tokenize?: BleuTokenizer;
  json?: true;
}

/** `evaluate` of a translator: BLEU, chrF and TER. */
export async function evaluateTranslation(folder: string, flags: TranslationFlags): Promise<void> {
  const { source, reference, json, with: others = [], ...search } = flags;
  if (source === undefined || reference === undefined) {
    throw new OptionError("--source FILE and --reference FILE must name sentences and their translations", {
      hint: "run `unrolled evaluate --help`",
    });
  }
  const { Translator } = await import("../tasks/translation/task.ts");
  const model = await Translator.load(folder, ...others);
  const bar = json ? undefined : new ProgressBar();
  const { translations: _, ...found } = await model
    .evaluate(
      { source, target: reference },
      {
        ...search,
        onProgress: ({ sentences, of }) => bar?.update({ fraction: sentences / of, stage: "translating" }),
      },
    )
    .finally(() => bar?.end());
  if (json) {
    process.stdout.write(`${JSON.stringify({ task: "translation", ...found })}\n`);
    return;
  }
  for (const note of found.notes) process.stderr.write(`note: ${note}\n`);
  const score = (name: string, { score, signature }: { score: number; signature: string }) =>
    `${name.padEnd(6)} ${score.toFixed(2).padStart(6)}  ${signature}\n`;
  process.stdout.write(
    score("BLEU", found.bleu) +
      score("chrF", found.chrf) +
      score("TER", found.ter) +
      `\n${found.sentences} sentences in ${duration(found.seconds)}, ` +
      `${percent(found.exact)} as their references to the letter\n`,
  );
}
