import { join } from "node:path";
import { type Spread, spread } from "../metrics/spread.ts";
import type { LanguageModelOptions, TextSource } from "../tasks/language-model/options.ts";
import type { RunResult } from "../tasks/language-model/runs.ts";
import { resultTable, showRuns } from "./runs.ts";
import { table } from "./ui/format.ts";

interface Seeds {
  seeds: readonly number[];
  testText: TextSource | undefined;
  json: boolean;
}

type TestedResult = RunResult & { testLoss?: number; testPerplexity?: number };

const figures = {
  validLoss: "valid loss",
  perplexity: "perplexity",
  testLoss: "test loss",
  testPerplexity: "test perplexity",
} as const;

/** `train language-model --seeds`: the same training from several seeds, and how far apart the results are. */
export async function trainSeeds(
  source: TextSource,
  { seed: _, ...options }: LanguageModelOptions & { out: string },
  { seeds, testText, json }: Seeds,
): Promise<void> {
  const { out } = options;
  const runs = seeds.map((seed) => ({ name: `seed-${seed}`, settings: { seed } }));
  const trained = await showRuns(source, options, runs, json);
  const results: TestedResult[] =
    testText === undefined
      ? trained.results
      : await testAll(options, trained.results, testText, trained.signal);
  const spreads = new Map<keyof typeof figures, Spread>();
  for (const name of Object.keys(figures) as (keyof typeof figures)[]) {
    const values = results.flatMap((result) => result[name] ?? []);
    if (values.length > 0) spreads.set(name, spread(values));
  }
  if (json) {
    const summary = { type: "seeds", runs: results, ...Object.fromEntries(spreads) };
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  const rows = [...spreads].map(([name, { mean, standardDeviation, min, max }]) => [
    figures[name],
    ...[mean, standardDeviation, min, max].map((x) => x.toFixed(4)),
  ]);
  const summary = table([["", "mean", "std. dev.", "min", "max"], ...rows]);
  process.stdout.write(
    `${resultTable(results)}\n\n${summary}\n\n${out} holds the runs, and runs.csv their table\n`,
  );
}

async function testAll(
  { out, cache }: LanguageModelOptions & { out: string },
  results: readonly RunResult[],
  text: TextSource,
  signal: AbortSignal,
): Promise<TestedResult[]> {
  const { LanguageModel } = await import("../tasks/language-model/task.ts");
  const tested: TestedResult[] = [];
  for (const result of results) {
    if (result.failure !== undefined) {
      tested.push(result);
      continue;
    }
    const model = await LanguageModel.load(join(out, result.run));
    const { loss: testLoss, perplexity: testPerplexity } = await model.evaluate(text, {
      signal,
      ...(cache !== undefined && { cache }),
    });
    tested.push({ ...result, testLoss, testPerplexity });
  }
  return tested;
}
