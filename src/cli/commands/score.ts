import type { Command } from "commander";
import { int8Flag, jsonFlag, threadsFlag, useThreads } from "../flags.ts";
import { linesOf, ofLine } from "../lines.ts";
import { examples } from "../ui/examples.ts";

interface Flags {
  int8?: true;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Gives each line of a file, or of what is piped in, its log-probability (natural logarithm) " +
        "and perplexity. Empty lines are passed over.",
    )
    .argument("<dir>", "the model's folder, or an n-gram model's file *.arpa")
    .argument("[file]", "UTF-8 text, a line at a time (default: standard input)")
    .addOption(int8Flag())
    .addOption(threadsFlag())
    .addOption(jsonFlag('one JSON object a line: {"text","tokens","logProb","perplexity"}'))
    .action(score);
  examples(command, [
    ["one sentence", 'echo "The whale was white." | unrolled score models/book'],
    [
      "the likeliest of many first",
      "unrolled score models/book candidates.txt --json | jq -s 'sort_by(.perplexity)'",
    ],
  ]);
}

async function score(
  folder: string,
  file: string | undefined,
  { int8, threads, json }: Flags,
): Promise<void> {
  await useThreads(threads);
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const model = await loadTextModel(folder, int8 ? { weights: "int8" } : {});
  if (file === undefined && process.stdin.isTTY) {
    process.stderr.write("type a line to have it scored; Ctrl-D ends\n");
  }
  if (!json) process.stdout.write("   log-prob  perplexity  text\n");
  for await (const line of linesOf(file)) {
    const { text } = line;
    const { tokens, logProb, perplexity } = await ofLine(line, (given) => model.score(given));
    process.stdout.write(
      json
        ? `${JSON.stringify({ text, tokens, logProb, perplexity })}\n`
        : `${logProb.toFixed(3).padStart(11)}  ${perplexity.toFixed(3).padStart(10)}  ${text}\n`,
    );
  }
}
