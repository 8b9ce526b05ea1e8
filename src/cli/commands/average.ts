import type { Command } from "commander";
import { createEmptyFolder } from "../../io/files.ts";
import { jsonFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";
import { table } from "../ui/format.ts";

interface Flags {
  out: string;
  text?: string[];
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Makes a model whose weights are the mean of those of several models of one architecture and one " +
        "vocabulary, e.g. of trainings that started from the same model (--init-from).",
    )
    .argument("<dirs...>", "the models' folders")
    .requiredOption("--out <dir>", "a new or empty folder for the model")
    .option("--text <file...>", "measure each model and their mean on this text")
    .addOption(threadsFlag())
    .addOption(jsonFlag('one JSON object: {"out","averaged","models":[{"model","loss","perplexity"}]}'))
    .action(average);
  examples(command, [
    ["the mean of two models", "unrolled average models/a models/b --out models/mean"],
    ["is it better than each?", "unrolled average runs/seed-* --out models/mean --text held-out.txt"],
  ]);
}

async function average(folders: string[], { out, text, threads, json }: Flags): Promise<void> {
  await useThreads(threads);
  const { LanguageModel } = await import("../../tasks/language-model/task.ts");
  const models: InstanceType<typeof LanguageModel>[] = [];
  for (const folder of folders) models.push(await LanguageModel.load(folder));
  const mean = LanguageModel.average(models);
  await createEmptyFolder(out);
  await mean.save(out);
  const measured: { model: string; loss: number; perplexity: number }[] = [];
  for (const [i, model] of [...models, mean].entries()) {
    if (text === undefined) break;
    const { loss, perplexity } = await model.evaluate(text);
    measured.push({ model: folders[i] ?? out, loss, perplexity });
  }
  if (json) {
    const result = { out, averaged: folders, ...(text !== undefined && { models: measured }) };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const rows = measured.map(({ model, loss, perplexity }) => [model, loss.toFixed(4), perplexity.toFixed(3)]);
  if (rows.length > 0) process.stdout.write(`${table([["model", "loss", "perplexity"], ...rows])}\n\n`);
  process.stdout.write(`${out} holds the mean of ${folders.length} models\n`);
}
