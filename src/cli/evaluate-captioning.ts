import type { Retrieval } from "../metrics/retrieval.ts";
import { type ImageFlags, sourceOf } from "./image-flags.ts";
import { duration, percent, table } from "./ui/format.ts";
import { ProgressBar } from "./ui/progress.ts";

export interface CaptioningFlags extends ImageFlags {
  beam?: number;
  lengthPenalty?: number;
  with?: string[];
  json?: true;
}

/** `evaluate` of a captioner: BLEU-1 … 4, METEOR, ROUGE-L and CIDEr-D. */
export async function evaluateCaptioning(folder: string, flags: CaptioningFlags): Promise<void> {
  const {
    captions,
    images,
    encoder,
    cache,
    features,
    names,
    split,
    json,
    with: others = [],
    ...search
  } = flags;
  const source = sourceOf(
    { captions, images, encoder, cache, features, names, split },
    "run `unrolled evaluate --help`",
  );
  const { ImageCaptioner } = await import("../tasks/captioning/task.ts");
  const model = await ImageCaptioner.load(folder, ...others);
  const bar = json ? undefined : new ProgressBar();
  const { captions: _, ...found } = await model
    .evaluate(source, {
      ...search,
      onProgress: ({ images: done, of }) => bar?.update({ fraction: done / of, stage: "captioning" }),
    })
    .finally(() => bar?.end());
  if (json) {
    process.stdout.write(`${JSON.stringify({ task: "captioning", ...found })}\n`);
    return;
  }
  for (const note of found.notes) process.stderr.write(`note: ${note}\n`);
  const rows: [string, number][] = [
    ...found.bleu.map((score, k): [string, number] => [`BLEU-${k + 1}`, score]),
    ["METEOR", found.meteor],
    ["ROUGE-L", found.rougeL],
    ["CIDEr-D", found.cider],
  ];
  process.stdout.write(
    rows.map(([name, score]) => `${name.padEnd(8)} ${score.toFixed(2).padStart(6)}\n`).join("") +
      `\n${found.images} images with ${found.references} captions in ${duration(found.seconds)}, ` +
      `${percent(found.exact)} as one of theirs to the letter\n`,
  );
}

/** `evaluate` of an aligner: how well images and sentences find each other. */
export async function evaluateAlignment(
  folder: string,
  { json, ...images }: ImageFlags & { json?: true },
): Promise<void> {
  const source = sourceOf(images, "run `unrolled evaluate --help`");
  const { ImageAligner } = await import("../tasks/alignment/task.ts");
  const model = await ImageAligner.load(folder);
  const bar = json ? undefined : new ProgressBar();
  const found = await model
    .evaluate(source, {
      onProgress: ({ sentences, of }) => bar?.update({ fraction: sentences / of, stage: "comparing" }),
    })
    .finally(() => bar?.end());
  if (json) {
    process.stdout.write(`${JSON.stringify({ task: "alignment", ...found })}\n`);
    return;
  }
  for (const note of found.notes) process.stderr.write(`note: ${note}\n`);
  const row = (name: string, { recallAt1, recallAt5, recallAt10, medianRank }: Retrieval) => [
    name,
    ...[recallAt1, recallAt5, recallAt10].map(percent),
    String(medianRank),
  ];
  const rows = [
    [`${found.images} images, ${found.sentences} sentences`, "R@1", "R@5", "R@10", "median rank"],
    row("image from sentence", found.imageFromSentence),
    row("sentence from image", found.sentenceFromImage),
  ];
  process.stdout.write(`${table(rows)}\n`);
}
