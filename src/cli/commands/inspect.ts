import type { Command } from "commander";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { UnrolledError } from "../../errors.ts";
import type { Module } from "../../nn/module.ts";
import { taskOf } from "../../tasks/task-of.ts";
import type { Progress } from "../../training/state.ts";
import { jsonFlag } from "../flags.ts";
import { examples } from "../ui/examples.ts";
import { duration, table, wrap } from "../ui/format.ts";
import { vocabulary } from "../ui/vocabulary.ts";

export function define(command: Command): void {
  command
    .description("Shows what a model's folder holds: configuration, parameters, vocabulary, training.")
    .argument("<dir>", "the model's folder, or an n-gram model's file *.arpa")
    .addOption(
      jsonFlag(
        'one JSON object: {"task","network","parameters","tokenizer","options","training"}, and what else the task has; of n-grams {"task","ngram",…}',
      ),
    )
    .action(inspect);
  examples(command, [
    ["what is in there?", "unrolled inspect models/book"],
    ["how many parameters?", "unrolled inspect models/book --json | jq '[.parameters[].size] | add'"],
  ]);
}

async function inspect(folder: string, { json }: { json?: true }): Promise<void> {
  const task = await taskOf(folder);
  const known = Object.hasOwn(loaders, String(task));
  const load = known ? loaders[task as keyof typeof loaders] : loadLanguageModel;
  const model = await load(folder);
  if (!("network" in model)) {
    const { inspectNgram } = await import("../inspect-ngram.ts");
    process.stdout.write(inspectNgram(folder, model, json === true));
    return;
  }
  const training = await readTraining(folder);
  const { network, training: options, ...config } = model.config;
  const parameters = parametersOf(model.network);
  const { formatVersion: _, statistics: __, ...others } = config as Record<string, unknown>;
  const tokenizer = "tokenizer" in model ? (model.tokenizer as Tokenizer) : undefined;
  if (json) {
    const description = { ...others, network, parameters, tokenizer: tokenizer?.toJSON(), options, training };
    process.stdout.write(`${JSON.stringify(description)}\n`);
    return;
  }
  const { frontEnd, labels = [] } = others as { frontEnd?: object; labels?: string[] };
  const problem = "problem" in network ? `, ${network.problem}` : "";
  const sections = [
    `${folder}: ${model.config.task}${problem}\n\n${model.network}`,
    parameterTable(parameters),
    ...(frontEnd ? [`front end\n${wrap(listed(frontEnd), 78, "  ")}`] : []),
    ...(labels.length > 0 ? [labelList(labels)] : []),
    ...(tokenizer ? [vocabulary(tokenizer)] : []),
    ...(options ? [`trained with\n${wrap(listed(options), 78, "  ")}`] : []),
    ...(training ? progressOf(training, tokenizer?.size) : []),
  ];
  process.stdout.write(`${sections.join("\n\n")}\n`);
}

const loaders = {
  memory: async (folder: string) => (await import("../../tasks/memory/task.ts")).MemoryModel.load(folder),
  speech: async (folder: string) =>
    (await import("../../tasks/speech/task.ts")).SpeechRecognizer.load(folder),
  translation: async (folder: string) =>
    (await import("../../tasks/translation/task.ts")).Translator.load(folder),
  captioning: async (folder: string) =>
    (await import("../../tasks/captioning/task.ts")).ImageCaptioner.load(folder),
  alignment: async (folder: string) =>
    (await import("../../tasks/alignment/task.ts")).ImageAligner.load(folder),
};

const loadLanguageModel = async (folder: string) =>
  (await import("../../tasks/load-model.ts")).loadTextModel(folder);

const parametersOf = (network: Module) =>
  Array.from(network.namedParameters(), ([name, { shape, size }]) => ({ name, shape, size }));

function parameterTable(parameters: ReturnType<typeof parametersOf>): string {
  const total = parameters.reduce((sum, { size }) => sum + size, 0);
  const rows = parameters.map(({ name, shape, size }) => [name, `[${shape.join(", ")}]`, size] as const);
  return table([...rows, ["total", "", total]]);
}

const listed = (options: object) =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(", ");

function labelList(labels: readonly string[]): string {
  const shown = labels.slice(1, 101).map((label) => JSON.stringify(label));
  const more = labels.length > 101 ? ` and ${labels.length - 101} more` : "";
  return `${labels.length - 1} labels and the blank\n${wrap(shown.join(" ") + more, 78, "  ")}`;
}

/** How the training went that wrote the folder; undefined if none did, or its checkpoints are damaged. */
async function readTraining(folder: string): Promise<Progress | undefined> {
  const { newestCheckpoint } = await import("../../training/checkpoints.ts");
  try {
    return (await newestCheckpoint(folder)).checkpoint?.state.progress;
  } catch (error) {
    if (!(error instanceof UnrolledError)) throw error;
    process.stderr.write(`note: ${error.message}\n`);
    return undefined;
  }
}

/** `tokens`: of how many a language model predicts one. */
function progressOf(training: Progress, tokens: number | undefined): string[] {
  const { epoch, step, seconds, firstLoss, validations } = training;
  const first = `the first loss was ${firstLoss.toFixed(4)}`;
  const read = `${training.tokens.toLocaleString("en-US")} tokens`;
  return [
    `trained for ${epoch} epochs, ${step} updates, ${tokens ? `${read}, ` : ""}${duration(seconds)};\n${first}` +
      (tokens ? `, a uniform guess has ln ${tokens} = ${Math.log(tokens).toFixed(4)}` : ""),
    ...(validations.length > 0 ? [history(training, tokens !== undefined)] : []),
  ];
}

const VALIDATIONS = 20;

/** The validations, evenly thinned out where there are many; the best is marked. */
function history({ validations, best }: Progress, perplexities: boolean): string {
  const every = Math.ceil(validations.length / VALIDATIONS);
  const shown = validations.filter(
    ({ step }, i) => step === best?.step || (validations.length - 1 - i) % every === 0,
  );
  return table([
    ["epoch", "update", "validation loss", ...(perplexities ? ["perplexity"] : [])],
    ...shown.map(({ epoch, step, loss }) => {
      const cells = [String(epoch), String(step), loss.toFixed(4)];
      if (perplexities) cells.push(Math.exp(loss).toFixed(3));
      if (step === best?.step) cells.push(`${cells.pop()}  best`);
      return cells;
    }),
  ]);
}
