import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import { taskOf } from "../../tasks/task-of.ts";
import {
  int8Flag,
  jsonFlag,
  lengthFlag,
  numberFlag,
  repeatedFlag,
  threadsFlag,
  useThreads,
} from "../flags.ts";
import { examples } from "../ui/examples.ts";
import { percent } from "../ui/format.ts";

interface Flags {
  text?: string[];
  int8?: true;
  sequences?: number;
  length?: number | readonly [number, number];
  seed?: number;
  dynamic?: number;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Measures a language model on a text: the mean of −ln P of each token given all before it, " +
        "the state carried through the whole text. A model of `train memory` is measured on fresh sequences.",
    )
    .argument("<dir>", "the model's folder, or an n-gram model's file *.arpa")
    .addOption(
      repeatedFlag(
        "--text <file>",
        "UTF-8 text that the model was not trained on, perhaps packed; a glob or several --text are one text",
      ),
    )
    .addOption(int8Flag())
    .addOption(numberFlag("--sequences <n>", "of a problem: how many to ask about (default: 10000)"))
    .addOption(
      lengthFlag("--length <n>", "of a problem: the sequences' steps, 100 or 50-200 (default: as trained)"),
    )
    .addOption(numberFlag("--seed <n>", "of a problem: of the sequences (default: 1)"))
    .addOption(
      numberFlag("--dynamic <rate>", "go on learning while reading, by SGD at this rate (default: do not)"),
    )
    .addOption(threadsFlag())
    .addOption(
      jsonFlag(
        'one JSON object: {"task","tokens","loss","perplexity","bitsPerToken"}, or {"task","sequences","loss","wrong"}',
      ),
    )
    .action(evaluate);
  examples(command, [
    ["how well does it know another book?", "unrolled evaluate models/book --text other.txt"],
    ["the perplexity alone", "unrolled evaluate models/book --text other.txt --json | jq .perplexity"],
  ]);
}

async function evaluate(folder: string, { threads, ...flags }: Flags): Promise<void> {
  await useThreads(threads);
  if ((await taskOf(folder).catch(() => undefined)) === "memory") return evaluateMemory(folder, flags);
  for (const name of ["sequences", "length", "seed"] as const) {
    if (flags[name] === undefined) continue;
    throw new OptionError(`--${name} is for models of \`train memory\`, and ${folder} is none`);
  }
  return evaluateText(folder, flags);
}

async function evaluateMemory(
  folder: string,
  { text, dynamic, int8, json, ...options }: Omit<Flags, "threads">,
): Promise<void> {
  const flag = text ? "--text" : int8 ? "--int8" : dynamic !== undefined ? "--dynamic" : undefined;
  if (flag) throw new OptionError(`${flag} is for language models, and ${folder} is none`);
  const { MemoryModel } = await import("../../tasks/memory/task.ts");
  const { sequences, loss, wrong } = await (await MemoryModel.load(folder)).evaluate(options);
  process.stdout.write(
    json
      ? `${JSON.stringify({ task: "memory", sequences, loss, wrong })}\n`
      : `sequences  ${sequences.toLocaleString("en-US")}\n` +
          `wrong      ${percent(wrong)}\n` +
          `loss       ${loss.toPrecision(4)}\n`,
  );
}

async function evaluateText(
  folder: string,
  { text, dynamic, int8, json }: Omit<Flags, "threads">,
): Promise<void> {
  if (!text) {
    throw new OptionError("--text FILE must name a text, one that the model was not trained on", {
      hint: "run `unrolled evaluate --help`",
    });
  }
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const model = await loadTextModel(folder, int8 ? { weights: "int8" } : {});
  const options = dynamic === undefined ? {} : { dynamic };
  const { tokens, loss, perplexity, bitsPerToken } = await model.evaluate(text, options);
  process.stdout.write(
    json
      ? `${JSON.stringify({ task: model.config.task, tokens, loss, perplexity, bitsPerToken })}\n`
      : `tokens          ${tokens.toLocaleString("en-US")}\n` +
          `loss            ${loss.toFixed(4)} nats a token\n` +
          `perplexity      ${perplexity.toFixed(3)}\n` +
          `bits per token  ${bitsPerToken.toFixed(4)}\n`,
  );
}
