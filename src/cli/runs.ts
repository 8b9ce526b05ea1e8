import type { LanguageModelOptions, TextSource } from "../tasks/language-model/options.ts";
import type { Run, RunResult } from "../tasks/language-model/runs.ts";
import { Interrupted, interruptible } from "./interrupt.ts";
import { duration, table } from "./ui/format.ts";
import { TrainingView } from "./ui/training.ts";

/** Trains one model after the other while the user watches; for the commands that train several. */
export async function showRuns(
  source: TextSource,
  options: LanguageModelOptions & { out: string },
  runs: readonly Run[],
  json: boolean,
): Promise<{ results: RunResult[]; signal: AbortSignal }> {
  const { trainRuns } = await import("../tasks/language-model/runs.ts");
  const view = new TrainingView(json);
  const signal = interruptible((line) => view.note(line));
  const watched = { ...options, signal, onProgress: view.show.bind(view) };
  const results = await trainRuns(source, watched, runs).finally(() => view.end());
  if (signal.aborted) {
    throw new Interrupted(
      `stopped; ${results.length} of ${runs.length} runs in ${options.out} are done, and the same command goes on`,
      signal,
    );
  }
  return { results, signal };
}

/** A line for each run: its settings and how it ended. */
export function resultTable(results: readonly RunResult[]): string {
  const settings = [...new Set(results.flatMap((result) => Object.keys(result.settings)))];
  const flag = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const digits = (value: number | null, count: number) => value?.toFixed(count) ?? "–";
  return table([
    [...settings.map(flag), "valid loss", "perplexity", "updates", "time", ""],
    ...results.map((result) => [
      ...settings.map((name) => String(result.settings[name] ?? "")),
      digits(result.validLoss, 4),
      digits(result.perplexity, 3),
      String(result.updates),
      duration(result.seconds),
      result.failure ?? "",
    ]),
  ]);
}
