import { OptionError } from "../errors.ts";
import type { Split } from "../tasks/speech/layouts.ts";
import { type DecodingFlags, readLanguageModel } from "./decoding-flags.ts";
import { duration, percent, table } from "./ui/format.ts";
import { ProgressBar } from "./ui/progress.ts";

export interface SpeechFlags extends DecodingFlags {
  manifest?: string;
  split?: Split;
  join?: number | readonly [number, number];
  skipBad?: true;
  tune?: true;
  json?: true;
}

/** `evaluate` of a recogniser: error rates, or those with each of some weights of a language model. */
export async function evaluateSpeech(folder: string, flags: SpeechFlags): Promise<void> {
  const { manifest, split, join, skipBad, tune, json, ...decoding } = flags;
  if (manifest === undefined) {
    throw new OptionError("--manifest PATH must name recordings that the model was not trained on", {
      hint: "run `unrolled evaluate --help`",
    });
  }
  if (tune && (decoding.lmWeight ?? decoding.insertionBonus) !== undefined) {
    throw new OptionError("--tune finds --lm-weight and --insertion-bonus, give neither with it");
  }
  const { SpeechRecognizer } = await import("../tasks/speech/task.ts");
  const model = await SpeechRecognizer.load(folder);
  const given = await readLanguageModel(decoding);
  const bar = json ? undefined : new ProgressBar();
  const source = split === undefined ? manifest : { path: manifest, split };
  const options = {
    ...given,
    ...(join !== undefined && { join: typeof join === "number" ? ([join, join] as const) : join }),
    ...(skipBad && { skipBad }),
    onProgress(event: { type: string; utterances?: number; of?: number; problem?: string }) {
      if (event.type === "skipped") {
        if (bar) bar.note(`skipped: ${event.problem}`);
      } else bar?.update({ fraction: event.utterances! / event.of!, stage: "reading recordings" });
    },
  };
  if (tune) {
    const { lmWeight: _, insertionBonus: __, ...search } = options;
    const tried = await model.tune(source, search).finally(() => bar?.end());
    const rows = tried.map(
      ({ weight, insertionBonus, rate }) => [weight, insertionBonus, percent(rate)] as const,
    );
    process.stdout.write(
      json
        ? `${JSON.stringify(tried)}\n`
        : `${table([["--lm-weight", "--insertion-bonus", "WER"], ...rows])}\n`,
    );
    return;
  }
  const { results, ...measured } = await model.evaluate(source, options).finally(() => bar?.end());
  if (json) {
    process.stdout.write(`${JSON.stringify({ task: "speech", ...measured })}\n`);
    return;
  }
  const row = (
    name: string,
    { rate, substitutions, insertions, deletions, hits }: (typeof measured)["wer"],
  ) => [name, percent(rate), substitutions, insertions, deletions, hits + substitutions + deletions] as const;
  for (const note of measured.notes) process.stderr.write(`note: ${note}\n`);
  process.stdout.write(
    `${table([
      ["", "errors", "substituted", "inserted", "deleted", "of"],
      row("words", measured.wer),
      row("characters", measured.cer),
    ])}\n\n` +
      `${measured.utterances} utterances, ${duration(measured.seconds)} of sound in ${duration(measured.elapsed)}; ` +
      `${percent(1 - measured.wrong)} without an error\n`,
  );
}
