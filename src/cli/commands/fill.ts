import type { Command } from "commander";
import type { Candidate } from "../../tasks/language-model/fill.ts";
import { jsonFlag, numberFlag, threadsFlag, useThreads } from "../flags.ts";
import { linesOf, ofLine } from "../lines.ts";
import { examples } from "../ui/examples.ts";
import { percent } from "../ui/format.ts";

interface Flags {
  top?: number;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Says what belongs in the gap of a line, written __: the likeliest tokens, and what is believed by the left and by " +
        "the right alone. A model trained with --bidirectional knows by both sides, any other by the left.",
    )
    .argument("<dir>", "the model's folder")
    .argument("[text]", "a line with a gap (default: lines from standard input)")
    .addOption(numberFlag("--top <n>", "candidates to show, the likeliest first (default: 5)"))
    .addOption(threadsFlag())
    .addOption(
      jsonFlag(
        'one JSON object a line: {"text","candidates":[{"text","prob","left","right"}]}, right if there is one',
      ),
    )
    .action(fill);
  examples(command, [
    ["what did he do with the shoes?", 'unrolled fill models/chinese "我 今天 去 超市 ， __ 了 一双 鞋"'],
    ["many lines", "unrolled fill models/english --json < gaps.txt"],
  ]);
}

async function fill(
  folder: string,
  text: string | undefined,
  { threads, json, ...options }: Flags,
): Promise<void> {
  await useThreads(threads);
  const { LanguageModel } = await import("../../tasks/language-model/task.ts");
  const model = await LanguageModel.load(folder);
  const lines = text === undefined ? linesOf(undefined) : [{ text, where: "text" }];
  if (text === undefined && process.stdin.isTTY) {
    process.stderr.write("type a line with a gap, __, to have it filled; Ctrl-D ends\n");
  }
  for await (const line of lines) {
    const candidates = await ofLine(line, (given) => model.fill(given, options));
    process.stdout.write(json ? `${JSON.stringify({ text: line.text, candidates })}\n` : table(candidates));
  }
}

function table(candidates: readonly Candidate[]): string {
  const both = candidates.some(({ right }) => right !== undefined);
  const cell = (p: number | undefined) => (p === undefined ? "" : percent(p).padStart(9));
  const rows = candidates.map(({ text, prob, left, right }) =>
    both ? `${cell(prob)}${cell(left)}${cell(right)}  ${text}` : `${cell(prob)}  ${text}`,
  );
  return `${both ? "     both     left    right" : "     left"}\n${rows.join("\n")}\n`;
}
