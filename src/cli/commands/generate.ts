import type { Command } from "commander";
import type { GenerateOptions } from "../../tasks/language-model/generate.ts";
import { Interrupted } from "../failure.ts";
import { int8Flag, jsonFlag, numberFlag, repeatedFlag, threadsFlag, useThreads } from "../flags.ts";
import { interruptible } from "../interrupt.ts";
import { examples } from "../ui/examples.ts";

interface Flags extends GenerateOptions {
  prompt: string;
  int8?: true;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description("Lets a language model write on from a prompt, token by token.")
    .argument("<dir>", "the model's folder, or an n-gram model's file *.arpa")
    .option("--prompt <text>", "what to write on from", "")
    .addOption(numberFlag("--max-tokens <n>", "the most tokens to write (default: 200)"))
    .addOption(
      numberFlag("--temperature <x>", "below 1 bolder choices get rarer; 0 takes the likeliest (default: 1)"),
    )
    .addOption(numberFlag("--top-k <n>", "choose among the k likeliest tokens (default: all)"))
    .addOption(
      numberFlag("--top-p <x>", "choose among the likeliest that make up this probability (default: 1)"),
    )
    .addOption(repeatedFlag("--stop <text>", "stop before this; may be given several times"))
    .addOption(numberFlag("--seed <n>", "the same seed writes the same text (default: another each time)"))
    .addOption(int8Flag())
    .addOption(threadsFlag())
    .addOption(jsonFlag('one JSON object: {"prompt","text"}'))
    .action(generate);
  examples(command, [
    ["write on", 'unrolled generate models/book --prompt "The ship "'],
    [
      "more careful, always the same",
      "unrolled generate models/book --temperature 0.6 --seed 7 --max-tokens 500",
    ],
    ["one line", "unrolled generate models/book --prompt \"Call me\" --stop $'\\n'"],
  ]);
}

async function generate(folder: string, { prompt, int8, threads, json, ...options }: Flags): Promise<void> {
  await useThreads(threads);
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const model = await loadTextModel(folder, int8 ? { weights: "int8" } : {});
  const signal = interruptible();
  let text = "";
  const pieces = model.generateStream(prompt, options);
  if (!json) process.stdout.write(prompt);
  for (const piece of pieces) {
    if (json) text += piece;
    else process.stdout.write(piece);
    // The event loop takes its turn: what is written appears, and Ctrl-C arrives.
    await new Promise(setImmediate);
    if (signal.aborted) throw new Interrupted("stopped", signal);
  }
  process.stdout.write(json ? `${JSON.stringify({ prompt, text })}\n` : "\n");
}
