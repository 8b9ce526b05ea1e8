import type { Command } from "commander";
import { OptionError } from "../../errors.ts";
import { writeFile } from "../../io/files.ts";
import { imageAttentionChart, TILE } from "../../plot/image-attention.ts";
import type { Alignment } from "../../tasks/alignment/task.ts";
import { jsonFlag, numberFlag, threadsFlag, useThreads } from "../flags.ts";
import { encoderFlag } from "../image-flags.ts";
import { examples } from "../ui/examples.ts";

interface Flags {
  encoder?: string;
  affinity?: number;
  plot?: string;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Says which region of an image each word of a sentence belongs to: a cell of the grid, as row and column, or the whole.",
    )
    .argument("<dir>", "the model's folder")
    .argument("<image>", "an image file")
    .argument("<sentence>", "what is said of it")
    .addOption(encoderFlag())
    .addOption(
      numberFlag("--affinity <x>", "how much rather a word has the region of its neighbour (default: 0)"),
    )
    .option("--plot <file>", "draw for each word where it fits, as an SVG")
    .addOption(threadsFlag())
    .addOption(jsonFlag('one object: {"words","rows","columns","regions","scores"}'))
    .action(align);
  examples(command, [
    [
      "neighbours rather together",
      'unrolled align models/align a.jpg "a dog on a beach" --encoder cnn.onnx --affinity 1',
    ],
  ]);
}

async function align(folder: string, image: string, sentence: string, flags: Flags): Promise<void> {
  const { threads, plot, json, ...options } = flags;
  await useThreads(threads);
  const { ImageAligner } = await import("../../tasks/alignment/task.ts");
  const found = await (await ImageAligner.load(folder)).align(image, sentence, options);
  const { words, rows, columns, regions, scores } = found;
  if (plot !== undefined) await draw(plot, image, found);
  if (json) {
    const rounded = scores.map((row) => Array.from(row, (score) => Number(score.toFixed(4))));
    process.stdout.write(`${JSON.stringify({ ...found, scores: rounded })}\n`);
    return;
  }
  const place = (region: number) =>
    region < rows * columns ? `${Math.floor(region / columns) + 1},${(region % columns) + 1}` : "whole";
  process.stdout.write(words.map((word, t) => `${word}\t${place(regions[t]!)}\n`).join(""));
}

/** The cells that fit a word, brighter the better they do. */
async function draw(plot: string, image: string, { words, rows, columns, scores }: Alignment): Promise<void> {
  if (rows === 0) throw new OptionError("--plot is of models that see a grid, and this one sees none");
  const { squarePng } = await import("../../data/images/image-files.ts");
  const png = Buffer.from(await squarePng(image, 2 * TILE)).toString("base64");
  const weights = scores.map((row) => shares(row.slice(0, rows * columns)));
  await writeFile(plot, imageAttentionChart({ words, rows, columns, weights }, png));
}

/** Of e to each score, the part of their sum. */
function shares(scores: Float32Array): Float32Array {
  const most = scores.reduce((a, b) => Math.max(a, b));
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
