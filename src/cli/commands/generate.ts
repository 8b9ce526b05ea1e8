import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import type { GenerateOptions } from "../../tasks/language-model/generate.ts";
import { int8Flag, jsonFlag, numberFlag, repeatedFlag, threadsFlag, useThreads } from "../flags.ts";
import { Interrupted, interruptible } from "../interrupt.ts";
import { examples } from "../ui/examples.ts";

interface Flags extends GenerateOptions {
  prompt: string;
  int8?: true;
  streams?: number;
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
    .addOption(
      numberFlag(
        "--streams <n>",
        "write so many texts at once, one after the other into the output, --max-tokens in all, from the model's " +
          "own probabilities: a corpus to learn from",
      ),
    )
    .addOption(threadsFlag())
    .addOption(jsonFlag('one JSON object: {"prompt","text"}'))
    .action(generate);
  examples(command, [
    ["write on", 'unrolled generate models/book --prompt "The ship "'],
    [
      "more careful, always the same",
      "unrolled generate models/book --temperature 0.6 --seed 7 --max-tokens 500",
    ],
    [
      "ten million words for another model to learn from",
      "unrolled generate models/words --streams 1000 --max-tokens 10000000 > sampled.txt",
    ],
    ["one line", "unrolled generate models/book --prompt \"Call me\" --stop $'\\n'"],
  ]);
}

async function generate(folder: string, flags: Flags): Promise<void> {
  const { prompt, streams, int8, threads, json, ...options } = flags;
  await useThreads(threads);
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const model = await loadTextModel(folder, int8 ? { weights: "int8" } : {});
  const signal = interruptible();
  if (streams !== undefined) {
    for (const name of ["prompt", "temperature", "topK", "topP", "stop", "json"] as const) {
      if (flags[name] !== undefined && flags[name] !== "")
        throw new OptionError(`--streams writes what is likely as often as it is, without \`${name}\``);
    }
    if (!("sample" in model)) throw new OptionError(`--streams is for networks, and ${folder} is none`);
    const { maxTokens: tokens = 10_000, seed = 1 } = options;
    const texts = await model.sample({ streams, tokens, seed, signal });
    for (const text of texts) process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    return;
  }
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
