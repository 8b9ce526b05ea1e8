import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import { createEmptyFolder } from "../../io/files.ts";
import type { LanguageModel } from "../../tasks/language-model/model.ts";
import { jsonFlag, numberFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";
import { table } from "../ui/format.ts";

interface Flags {
  out: string;
  text?: string[];
  best?: number;
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
    .addOption(numberFlag("--best <k>", "average only the k models that are best on --text"))
    .addOption(threadsFlag())
    .addOption(jsonFlag('one JSON object: {"out","averaged","models":[{"model","loss","perplexity"}]}'))
    .action(average);
  examples(command, [
    ["the mean of two models", "unrolled average models/a models/b --out models/mean"],
    [
      "of the three best of a sweep, all started from one model by --init-from",
      "unrolled average runs/*/ --best 3 --text held-out.txt --out models/mean",
    ],
  ]);
}

interface Measured {
  model: string;
  loss: number;
  perplexity: number;
}

async function average(folders: string[], { out, text, best, threads, json }: Flags): Promise<void> {
  if (best !== undefined && text === undefined) {
    throw new OptionError("--best needs --text FILE: the text that it is measured on");
  }
  if (best !== undefined && !(Number.isInteger(best) && best >= 1 && best <= folders.length)) {
    throw new OptionError(`--best must be a whole number from 1 to ${folders.length}, got ${best}`);
  }
  await createEmptyFolder(out);
  await useThreads(threads);
  const { LanguageModel } = await import("../../tasks/language-model/task.ts");
  const measure = async (model: LanguageModel, name: string): Promise<Measured[]> => {
    if (text === undefined) return [];
    const { loss, perplexity } = await model.evaluate(text);
    return [{ model: name, loss, perplexity }];
  };
  const models = new Map<string, LanguageModel>();
  const measured: Measured[] = [];
  for (const folder of new Set(folders)) {
    const model = await LanguageModel.load(folder);
    models.set(folder, model);
    measured.push(...(await measure(model, folder)));
  }
  measured.sort((a, b) => a.loss - b.loss);
  const averaged =
    best === undefined ? [...models.keys()] : measured.slice(0, best).map(({ model }) => model);
  const mean = LanguageModel.average(averaged.map((folder) => models.get(folder)!));
  await mean.save(out);
  const [ofMean] = await measure(mean, out);
  const all = ofMean ? [...measured, ofMean] : [];
  if (json) {
    const result = { out, averaged, ...(text !== undefined && { models: all }) };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const rows = all.map(({ model, loss, perplexity }) => [model, loss.toFixed(4), perplexity.toFixed(3)]);
  if (rows.length > 0) process.stdout.write(`${table([["model", "loss", "perplexity"], ...rows])}\n\n`);
  process.stdout.write(`${out} holds the mean of ${averaged.length} models\n`);
  if (ofMean && measured.every(({ loss }) => loss < ofMean.loss)) {
    process.stderr.write(
      "note: it is worse than each of them; those average well that started from one model and are still near it\n",
    );
  }
}
