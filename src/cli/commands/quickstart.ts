import { existsSync } from "node:fs";
import type { Command } from "commander";
import { splitText } from "../../data/text/text-cut.ts";
import type { LanguageModelOptions } from "../../tasks/language-model/options.ts";
import { jsonFlag, numberFlag } from "../flags.ts";
import { Interrupted, interruptible } from "../interrupt.ts";
import { readBook } from "../quickstart/book.ts";
import { examples } from "../ui/examples.ts";
import { wrap } from "../ui/format.ts";
import { TrainingView } from "../ui/training.ts";

interface Flags {
  text?: string;
  out?: string;
  threads?: number;
  json?: true;
}

const settings = {
  unit: "char",
  cell: "lstm",
  embeddingSize: 64,
  hiddenSize: 256,
  numLayers: 1,
  batchSize: 32,
  seqLength: 64,
  epochs: 2,
  optimizer: "adam",
  learningRate: 0.005,
  schedule: "cosine",
  seed: 1,
} as const satisfies LanguageModelOptions;

const FOLDER = "models/quickstart";

export function define(command: Command): void {
  command
    .description(
      "Trains a small character LSTM on Moby-Dick in about a minute, then shows what it learnt: " +
        "its perplexity on the last tenth of the book, which it has not read; whether it tells sentences " +
        "from their twins with shuffled words; and a paragraph of its own.",
    )
    .option("--text <file>", "learn from this text instead")
    .option("--out <dir>", `a new or empty folder for the model (default: ${FOLDER}, or the next free name)`)
    .addOption(numberFlag("--threads <n>", "threads to compute with (default: all processors)"))
    .addOption(jsonFlag("one event a line as JSON: those of a training, then result"))
    .action(quickstart);
  examples(command, [
    ["see it work", "unrolled quickstart"],
    ["on a book of your own", "unrolled quickstart --text book.txt"],
  ]);
}

async function quickstart({ text: file, out = freeFolder(), threads, json }: Flags): Promise<void> {
  const say = (line: string) => json || process.stdout.write(`${line}\n`);
  const { readText } = await import("../../tasks/language-model/sources.ts");
  const text = file === undefined ? readBook() : await readText(file);
  const [train, heldOut] = splitText(text, 0.1, "character");
  say(
    `${file ?? "Moby-Dick"}: ${text.length.toLocaleString("en-US")} characters; the last tenth is held out.`,
  );
  say(`Training an LSTM of ${settings.hiddenSize} units, ${settings.epochs} times through the text.\n`);

  const view = new TrainingView(json === true);
  const signal = interruptible((line) => view.note(line));
  const { LanguageModel } = await import("../../tasks/language-model/task.ts");
  let perplexity = Number.NaN;
  const options: LanguageModelOptions = {
    ...settings,
    ...(threads !== undefined && { threads }),
    valid: { text: heldOut },
    out,
    signal,
    onProgress(event) {
      view.show(event);
      if (event.type === "done") perplexity = event.perplexity ?? perplexity;
    },
  };
  const model = await LanguageModel.train({ text: train }, options).finally(() => view.end());
  if (signal.aborted) throw new Interrupted(`stopped; ${out} holds the best model so far`, signal);

  const { examine } = await import("../quickstart/examine.ts");
  const findings = await examine(model, train, heldOut);
  if (json) {
    process.stdout.write(`${JSON.stringify({ type: "result", out, perplexity, ...findings })}\n`);
    return;
  }
  const { unigramPerplexity, sentences, ranked, example, paragraph } = findings;
  say(`\nPerplexity of the held-out text: ${perplexity.toFixed(2)} a character`);
  say(`(by the frequencies of characters alone: ${unigramPerplexity.toFixed(2)}).\n`);
  if (sentences > 0) {
    say(`${ranked} of ${sentences} held-out sentences are likelier to it than their shuffled twins`);
    say("(the same words in random order, the first word and all punctuation in place).");
    if (example) say(`One it got right:\n\n  ${example.sentence}\n  ${example.twin}`);
  }
  say(`\nA paragraph of its own:\n\n${wrap(paragraph, 78, "  ")}\n`);
  const [prompt, sentence] =
    file === undefined ? ["The ship ", "The whale was white."] : [findings.prompt, findings.prompt];
  say(`The model is in ${out}. Next:\n`);
  say(`  npx unrolled generate ${out} --prompt "${prompt}" --temperature 0.7`);
  say(`  echo "${sentence}" | npx unrolled score ${out}`);
  say("  npx unrolled train language-model --text your-book.txt --out models/your-book");
}

/** The first name that is not taken: a model of an earlier run stays. */
function freeFolder(): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? FOLDER : `${FOLDER}-${n}`;
    if (!existsSync(name)) return name;
  }
}
