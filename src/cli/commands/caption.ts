import type { Command } from "commander";
import type { BeamOptions } from "../../decoding/beam-search.ts";
import { FileError, FormatError, OptionError } from "../../errors.ts";
import { writeFile } from "../../io/files.ts";
import type { ModelSource } from "../../io/model-folder.ts";
import { imageAttentionChart, TILE } from "../../plot/image-attention.ts";
import type { Caption } from "../../tasks/captioning/caption.ts";
import { beamFlags } from "../beam-flags.ts";
import { jsonFlag, numberFlag, repeatedFlag, threadsFlag, useThreads } from "../flags.ts";
import { encoderFlag } from "../image-flags.ts";
import { examples } from "../ui/examples.ts";

interface Flags extends BeamOptions {
  with?: string[];
  encoder?: string;
  plot?: string;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Says what is in images: JPEG, PNG, WebP and others that the package sharp reads. One that cannot be read is " +
        "reported by its name on stderr, and the others go on.",
    )
    .argument("<dir>", "the model's folder")
    .argument("<images...>", "image files");
  for (const option of beamFlags()) command.addOption(option);
  command
    .addOption(
      numberFlag("--n-best <n>", "so many captions of each, at most --beam, the best first (default: 1)"),
    )
    .addOption(
      repeatedFlag("--with <dir>", "another model of the same words: an ensemble; may be given again"),
    )
    .addOption(encoderFlag())
    .option("--plot <file>", "draw where the model looked for each word, over a single image, as an SVG")
    .addOption(threadsFlag())
    .addOption(
      jsonFlag(
        'one object for each image: {"image","text","logProbability","score","alternatives","attention","notes"}, or ' +
          '{"image","error"}; attention has "words", "rows", "columns" and "weights", a row for each word and the end',
      ),
    )
    .action(caption);
  examples(command, [
    ["a few photos", "unrolled caption models/photos a.jpg b.jpg --beam 5"],
    ["of a model that was trained on features", "unrolled caption models/lstm a.jpg --encoder cnn.onnx"],
    ["where does it look?", "unrolled caption models/shapes a.png --plot looks.svg"],
  ]);
}

async function caption(folder: string, images: string[], flags: Flags): Promise<void> {
  const { with: others = [], encoder, threads, json, plot, ...search } = flags;
  await useThreads(threads);
  if (plot !== undefined && images.length !== 1) {
    throw new OptionError(`--plot draws over a single image, got ${images.length}`);
  }
  const { ImageCaptioner } = await import("../../tasks/captioning/task.ts");
  const folders: [ModelSource, ...ModelSource[]] = [folder, ...others];
  const captioner = await ImageCaptioner.load(...folders);
  const attention = plot !== undefined || (json === true && captioner.network.attention !== undefined);
  let failed = 0;
  for (const image of images) {
    try {
      const found = await captioner.caption(image, {
        ...search,
        attention,
        ...(encoder !== undefined && { encoder }),
      });
      for (const note of found.notes) process.stderr.write(`note: ${image}: ${note}\n`);
      process.stdout.write(
        json ? `${JSON.stringify(describe(image, found))}\n` : plain(image, found, images.length),
      );
      if (plot !== undefined) await draw(plot, image, found);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof FileError)) throw error;
      failed++;
      process.stderr.write(`error: ${error.message}\n`);
      if (json) process.stdout.write(`${JSON.stringify({ image, error: error.message })}\n`);
    }
  }
  if (failed > 0) process.exitCode = 1;
}

async function draw(plot: string, image: string, { attention }: Caption): Promise<void> {
  const { squarePng } = await import("../../data/images/image-files.ts");
  const png = Buffer.from(await squarePng(image, 2 * TILE)).toString("base64");
  await writeFile(plot, imageAttentionChart(attention!, png));
}

/** Its text, after the image's name where there are several, or with --n-best all of them by their scores. */
function plain(image: string, { text, alternatives }: Caption, count: number): string {
  const name = count > 1 ? `${image}\t` : "";
  if (!alternatives) return `${name}${text}\n`;
  return alternatives.map((one) => `${name}${one.score.toFixed(4)}\t${one.text}\n`).join("");
}

function describe(image: string, { attention, ...caption }: Caption) {
  const rounded = attention && {
    ...attention,
    weights: attention.weights.map((row) => Array.from(row, (weight) => Number(weight.toFixed(4)))),
  };
  return { image, ...caption, ...(rounded && { attention: rounded }) };
}
