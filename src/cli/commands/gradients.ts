import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import { writeFile } from "../../io/files.ts";
import type { GradientNorms } from "../../nn/recurrent/gradient-norms.ts";
import { gradientChart } from "../../plot/gradients.ts";
import { taskOf } from "../../tasks/task-of.ts";
import { jsonFlag, numberFlag, repeatedFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";
import { table } from "../ui/format.ts";

interface Flags {
  text?: string[];
  length?: number;
  samples?: number;
  seed?: number;
  plot?: string;
  threads?: number;
  json?: true;
}

/** One curve: a part of the state of a layer of a model. */
interface Curve extends GradientNorms {
  model: string;
}

export function define(command: Command): void {
  command
    .description(
      "Measures how much a model's state depends on the states before it: the norm of ∂h_T/∂h_t (Frobenius' over √H, " +
        "so that 1 is a state handed on unchanged), for each lag T − t; of an LSTM also that of c. Where it falls to " +
        "nothing, nothing further back can be learnt from; where it rises, gradients explode.",
    )
    .argument("<dir...>", "folders of language models, or of models of `train memory`")
    .addOption(
      repeatedFlag("--text <file>", "of language models: text to read (default: what each writes itself)"),
    )
    .addOption(numberFlag("--length <n>", "how many steps to look back (default: 100)"))
    .addOption(
      numberFlag("--samples <n>", "sequences, or places in the text, to take the mean of (default: 8)"),
    )
    .addOption(numberFlag("--seed <n>", "of the sequences, or of what a model writes (default: 1)"))
    .option("--plot <file.svg>", "draw the curves, all models in one picture")
    .addOption(threadsFlag())
    .addOption(
      jsonFlag('one JSON object a curve, one a line: {"model","layer","part","norms"}, norms from lag 0'),
    )
    .action(gradients);
  examples(command, [
    ["how far back does it reach?", "unrolled gradients models/book"],
    ["a tanh network beside an LSTM", "unrolled gradients models/rnn models/lstm --plot gradients.svg"],
  ]);
}

async function gradients(folders: string[], { plot, json, threads, text, ...options }: Flags): Promise<void> {
  await useThreads(threads);
  const names = folders.map((folder) => basename(resolve(folder)));
  const curves: Curve[] = [];
  for (const [i, folder] of folders.entries()) {
    const model = new Set(names).size === names.length ? names[i]! : folder;
    const measured = await measure(folder, { ...options, ...(text && { text }) });
    curves.push(...measured.map((norms) => ({ model, ...norms })));
  }
  if (plot !== undefined) {
    await writeFile(
      plot,
      gradientChart(curves.map((curve) => ({ name: nameOf(curve, curves), norms: curve.norms }))),
    );
    if (!json) process.stderr.write(`${plot} holds the curves\n`);
  }
  process.stdout.write(
    json
      ? curves.map((curve) => `${JSON.stringify({ ...curve, norms: [...curve.norms] })}\n`).join("")
      : `${words(curves)}\n`,
  );
}

async function measure(
  folder: string,
  { text, ...options }: { text?: string[]; length?: number; samples?: number; seed?: number },
): Promise<GradientNorms[]> {
  if ((await taskOf(folder)) === "memory") {
    if (text) throw new OptionError(`--text is for language models, and ${folder} is none`);
    const { MemoryModel } = await import("../../tasks/memory/task.ts");
    return (await MemoryModel.load(folder)).gradientNorms(options);
  }
  const { LanguageModel } = await import("../../tasks/language-model/task.ts");
  const { languageModelGradients } = await import("../../tasks/language-model/gradients.ts");
  return languageModelGradients(await LanguageModel.load(folder), { ...options, ...(text && { text }) });
}

/** What tells a curve from the others: the model, its layer if it has several, the part of the state if there are two. */
function nameOf({ model, layer, part }: Curve, curves: readonly Curve[]): string {
  const others = curves.filter((curve) => curve.model === model);
  return [
    model,
    ...(others.some((curve) => curve.layer > 0) ? [`layer ${layer + 1}`] : []),
    ...(curves.some((curve) => curve.part !== "h") ? [part] : []),
  ].join(" ");
}

/** A row for each of the lags 1, 2, 5, 10 and so on, a column for each curve. */
function words(curves: readonly Curve[]): string {
  const T = curves[0]!.norms.length - 1;
  const lags = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000].filter((lag) => lag < T);
  const names = curves.map((curve) => nameOf(curve, curves));
  const rows = [...lags, T].map((lag) => [
    String(lag).padStart(5),
    ...curves.map(({ norms }, i) => norms[lag]!.toExponential(2).padStart(names[i]!.length)),
  ]);
  const heads = names.map((name) => name.padStart(8));
  return `norm of ∂h_T/∂h_t by lag T − t\n\n${table([["  lag", ...heads], ...rows])}`;
}
