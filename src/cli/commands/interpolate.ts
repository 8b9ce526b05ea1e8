import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import type { MixtureEvaluation } from "../../tasks/mixture/interpolate.ts";
import { jsonFlag, numbersFlag, repeatedFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";
import { table } from "../ui/format.ts";

interface Flags {
  valid?: string[];
  test?: string[];
  weights?: number[];
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Mixes language models linearly, recurrent ones and n-grams, with the weights that are best for --valid, " +
        "and shows what each of them and their mixture make of --valid and --test.",
    )
    .argument("<dirs...>", "two models or more: folders, or n-gram models' files *.arpa")
    .addOption(repeatedFlag("--valid <file>", "UTF-8 text to tune the weights on"))
    .addOption(repeatedFlag("--test <file>", "UTF-8 text to evaluate the mixture on"))
    .addOption(numbersFlag("--weights <list>", "the weights, e.g. 0.75,0.25 (default: tuned on --valid)"))
    .addOption(threadsFlag())
    .addOption(
      jsonFlag('one JSON object: {"models","weights","valid","test"}, the last two with the perplexities'),
    )
    .action(mix);
  examples(command, [
    ["an RNN with an n-gram", "unrolled interpolate models/rnn models/kn5 --valid valid.txt --test test.txt"],
    [
      "several RNNs, of one weight each",
      "unrolled interpolate models/a models/b --weights 0.5,0.5 --test test.txt --json | jq .test.perplexity",
    ],
  ]);
}

async function mix(folders: string[], { valid, test, weights, threads, json }: Flags): Promise<void> {
  if (folders.length < 2) throw new OptionError(`needs 2 models or more, got ${folders.length}`);
  await useThreads(threads);
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const { interpolate } = await import("../../tasks/mixture/interpolate.ts");
  const models = [];
  for (const folder of folders) models.push(await loadTextModel(folder));
  const result = await interpolate(models, {
    names: folders,
    ...(valid && { valid }),
    ...(test && { test }),
    ...(weights && { weights }),
  });
  if (json) {
    process.stdout.write(`${JSON.stringify({ models: folders, ...result })}\n`);
    return;
  }
  const measured = Object.entries({ valid: result.valid, test: result.test }).filter(
    (entry): entry is [string, MixtureEvaluation] => entry[1] !== undefined,
  );
  process.stdout.write(
    `${table([
      ["model", "weight", ...measured.map(([name]) => `${name} perplexity`)],
      ...folders.map((folder, i) => [
        folder,
        result.weights[i]!.toFixed(4),
        ...measured.map(([, { models }]) => models[i]!.perplexity.toFixed(3)),
      ]),
      ["mixed", "", ...measured.map(([, { perplexity }]) => perplexity.toFixed(3))],
    ])}\n`,
  );
}
