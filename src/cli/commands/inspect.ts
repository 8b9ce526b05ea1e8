import type { Command } from "commander";
import type { Module } from "../../nn/module.ts";
import type { LanguageModel } from "../../tasks/language-model/task.ts";
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
        'one JSON object: {"task","network","parameters","tokenizer","options","training"}; of n-grams {"task","ngram",…}',
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
  if (task === "memory") return inspectMemory(folder, json === true);
  if (task === "speech") return inspectSpeech(folder, json === true);
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const model = await loadTextModel(folder);
  if (!("network" in model)) {
    const { inspectNgram } = await import("../inspect-ngram.ts");
    process.stdout.write(inspectNgram(folder, model, json === true));
    return;
  }
  const description = { ...describe(model), training: await readTraining(folder) };
  process.stdout.write(json ? `${JSON.stringify(description)}\n` : format(folder, model, description));
}

async function inspectMemory(folder: string, json: boolean): Promise<void> {
  const { MemoryModel } = await import("../../tasks/memory/task.ts");
  const { config, network } = await MemoryModel.load(folder);
  const { task, training: options } = config;
  const parameters = parametersOf(network);
  const description = { task, network: config.network, parameters, options };
  const sections = [
    `${folder}: ${task}, ${config.network.problem}\n\n${network}`,
    parameterTable(parameters),
    ...trainedWith(options),
  ];
  process.stdout.write(json ? `${JSON.stringify(description)}\n` : `${sections.join("\n\n")}\n`);
}

async function inspectSpeech(folder: string, json: boolean): Promise<void> {
  const { SpeechRecognizer } = await import("../../tasks/speech/task.ts");
  const { config, network } = await SpeechRecognizer.load(folder);
  const { task, frontEnd, labels, training: options } = config;
  const parameters = parametersOf(network);
  const shown = labels.slice(1, 101).map((label) => JSON.stringify(label));
  const more = labels.length > 101 ? ` and ${labels.length - 101} more` : "";
  const sections = [
    `${folder}: ${task}\n\n${network}`,
    parameterTable(parameters),
    `front end\n${wrap(listed(frontEnd), 78, "  ")}`,
    `${labels.length - 1} labels and the blank\n${wrap(shown.join(" ") + more, 78, "  ")}`,
    ...trainedWith(options),
  ];
  const description = { task, frontEnd, network: config.network, parameters, labels, options };
  process.stdout.write(json ? `${JSON.stringify(description)}\n` : `${sections.join("\n\n")}\n`);
}

const parametersOf = (network: Module) =>
  Array.from(network.namedParameters(), ([name, { shape, size }]) => ({ name, shape, size }));

function parameterTable(parameters: ReturnType<typeof parametersOf>): string {
  const total = parameters.reduce((sum, { size }) => sum + size, 0);
  const rows = parameters.map(({ name, shape, size }) => [name, `[${shape.join(", ")}]`, size] as const);
  return table([...rows, ["total", "", total]]);
}

function trainedWith(options: Record<string, unknown> | undefined): string[] {
  if (!options) return [];
  return [`trained with\n${wrap(listed(options), 78, "  ")}`];
}

const listed = (options: Record<string, unknown>) =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(", ");

function describe({ config, network, tokenizer }: LanguageModel) {
  return {
    task: config.task,
    network: config.network,
    parameters: parametersOf(network),
    tokenizer: tokenizer.toJSON(),
    options: config.training,
  };
}

/** How the training went that wrote the folder; undefined if none did. */
async function readTraining(folder: string): Promise<Progress | undefined> {
  const { newestCheckpoint } = await import("../../training/checkpoints.ts");
  return (await newestCheckpoint(folder)).checkpoint?.state.progress;
}

type Description = ReturnType<typeof describe> & { training: Progress | undefined };

function format(
  folder: string,
  model: LanguageModel,
  { parameters, options, training }: Description,
): string {
  const sections = [
    `${folder}: ${model.config.task}\n\n${model.network}`,
    parameterTable(parameters),
    vocabulary(model.tokenizer),
    ...trainedWith(options),
  ];
  if (training) {
    const { epoch, step, tokens, seconds, firstLoss } = training;
    const uniform = Math.log(model.tokenizer.size);
    sections.push(
      `trained for ${epoch} epochs, ${step} updates, ${tokens.toLocaleString("en-US")} tokens, ${duration(seconds)};\n` +
        `the first loss was ${firstLoss.toFixed(4)}, a uniform guess has ln ${model.tokenizer.size} = ${uniform.toFixed(4)}`,
    );
    if (training.validations.length > 0) sections.push(history(training));
  }
  return `${sections.join("\n\n")}\n`;
}

const VALIDATIONS = 20;

/** The validations, evenly thinned out where there are many; the best is marked. */
function history({ validations, best }: Progress): string {
  const every = Math.ceil(validations.length / VALIDATIONS);
  const shown = validations.filter(
    ({ step }, i) => step === best?.step || (validations.length - 1 - i) % every === 0,
  );
  return table([
    ["epoch", "update", "validation loss", "perplexity"],
    ...shown.map(({ epoch, step, loss }) => [
      String(epoch),
      String(step),
      loss.toFixed(4),
      `${Math.exp(loss).toFixed(3)}${step === best?.step ? "  best" : ""}`,
    ]),
  ]);
}
