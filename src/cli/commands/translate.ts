import type { Command } from "commander";
import { collectLines, readLines } from "../../data/text/lines.ts";
import type { BeamOptions } from "../../decoding/beam-search.ts";
import { OptionError } from "../../errors.ts";
import { writeFile } from "../../io/files.ts";
import type { ModelSource } from "../../io/model-folder.ts";
import { attentionChart } from "../../plot/attention.ts";
import type { Alternative, Translation } from "../../tasks/translation/translate.ts";
import { beamFlags } from "../beam-flags.ts";
import { jsonFlag, numberFlag, repeatedFlag, threadsFlag, useThreads } from "../flags.ts";
import { Interrupted, interruptible } from "../interrupt.ts";
import { examples } from "../ui/examples.ts";

interface Flags extends BeamOptions {
  coveragePenalty?: number;
  prefix?: string;
  replaceUnknown?: true;
  moses?: true;
  with?: string[];
  plot?: string;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Translates the lines of a file or of stdin; order and blank lines are kept. What is longer than the model reads is " +
        "cut off, and stderr says so.",
    )
    .argument("<dir>", "the model's folder")
    .argument("[file]", "sentences, one a line; stdin if left out");
  for (const option of beamFlags()) command.addOption(option);
  command
    .addOption(
      numberFlag("--n-best <n>", "so many translations of each, at most --beam, the best first (default: 1)"),
    )
    .addOption(
      repeatedFlag("--with <dir>", "another model of the same tokens: an ensemble; may be given again"),
    )
    .option("--prefix <text>", "what each translation begins with")
    .option("--replace-unknown", "of models of words: copy the source's word that was looked at most")
    .option("--moses", "n-best lists as Moses writes them, for `rerank`: number ||| text ||| ln P ||| score")
    .option("--plot <file>", "draw where the model looked, of a single sentence, as an SVG")
    .addOption(threadsFlag())
    .addOption(
      jsonFlag(
        'one object for each line: {"source","text","logProbability","score","alternatives","attention","notes"}; attention ' +
          'has "source", "target" and "weights", a row for each token of the target and the end',
      ),
    )
    .action(translate);
  examples(command, [
    ["one sentence", 'echo "ein hund läuft ." | unrolled translate models/de-en --beam 5'],
    ["a file", "unrolled translate models/de-en test.de --beam 5 > test.en"],
    ["an ensemble of three", "unrolled translate models/1 test.de --with models/2 --with models/3"],
    ["where does it look?", 'echo "ein hund" | unrolled translate models/de-en --plot looks.svg'],
  ]);
}

async function translate(folder: string, file: string | undefined, flags: Flags): Promise<void> {
  const { with: others = [], threads, json, moses, plot, ...search } = flags;
  await useThreads(threads);
  const { Translator } = await import("../../tasks/translation/task.ts");
  const folders: [ModelSource, ...ModelSource[]] = [folder, ...others];
  const translator = await Translator.load(...folders);
  if (moses && json) throw new OptionError("--moses and --json are two ways to write the same: choose one");
  if (file === undefined && process.stdin.isTTY)
    process.stderr.write("type sentences, one a line; Ctrl-D ends\n");
  const { lines } = await (file === undefined
    ? collectLines(process.stdin, "standard input")
    : readLines(file));
  if (plot !== undefined && lines.filter((line) => line.trim() !== "").length !== 1) {
    throw new OptionError(`--plot draws a single sentence, got ${lines.length} lines`);
  }
  const signal = interruptible((line) => process.stderr.write(`${line}\n`));
  const attention = plot !== undefined || (json === true && translator.network.attention !== undefined);
  const translations = await translator.translate(lines, { ...search, attention, signal }).catch((error) => {
    throw error === signal.reason ? new Interrupted("stopped; nothing is written", signal) : error;
  });
  if (plot !== undefined) await draw(plot, translations);
  for (const [i, translation] of translations.entries()) {
    for (const note of translation.notes) process.stderr.write(`note: ${note}\n`);
    const told = json ? `${JSON.stringify(describe(lines[i]!, translation))}\n` : plain(translation);
    process.stdout.write(moses ? asMoses(i, translation) : told);
  }
}

async function draw(plot: string, translations: readonly Translation[]): Promise<void> {
  const { attention } = translations.find((one) => one.attention)!;
  await writeFile(plot, attentionChart(attention!));
}

/** Its text, or with --n-best all of them by their scores. */
function plain({ text, alternatives }: Translation): string {
  if (!alternatives) return `${text}\n`;
  return alternatives.map((one) => `${one.score.toFixed(4)}\t${one.text}\n`).join("");
}

function asMoses(number: number, { alternatives, ...best }: Translation): string {
  if (best.text === "") return "";
  const line = ({ text, logProbability, score }: Alternative) =>
    `${number} ||| ${text} ||| logP= ${logProbability.toFixed(4)} ||| ${score.toFixed(6)}\n`;
  return (alternatives ?? [best]).map(line).join("");
}

function describe(source: string, { attention, ...translation }: Translation) {
  const rounded = attention && {
    ...attention,
    weights: attention.weights.map((row) => Array.from(row, (weight) => Number(weight.toFixed(4)))),
  };
  return { source, ...translation, ...(rounded && { attention: rounded }) };
}
