import { OptionError } from "../errors.ts";
import { duration, percent } from "./ui/format.ts";
import { ProgressBar } from "./ui/progress.ts";

export interface CaptioningFlags {
  captions?: string[];
  images?: string;
  encoder?: string;
  cache?: string;
  features?: string[];
  names?: string;
  split?: string;
  beam?: number;
  lengthPenalty?: number;
  json?: true;
}

/** `evaluate` of a captioner: BLEU-1 … 4, METEOR, ROUGE-L and CIDEr-D. */
export async function evaluateCaptioning(folder: string, flags: CaptioningFlags): Promise<void> {
  const { captions, images, encoder, cache, features, names, split, json, ...search } = flags;
  if (!captions || (!images && !features)) {
    throw new OptionError(
      "--captions FILE and --images DIR or --features FILE must name images and their captions",
      {
        hint: "run `unrolled evaluate --help`",
      },
    );
  }
  const { ImageCaptioner } = await import("../tasks/captioning/task.ts");
  const model = await ImageCaptioner.load(folder);
  const bar = json ? undefined : new ProgressBar();
  const { captions: _, ...found } = await model
    .evaluate(
      { captions, images, encoder, cache, features, names, split },
      {
        ...search,
        onProgress: ({ images: done, of }) => bar?.update({ fraction: done / of, stage: "captioning" }),
      },
    )
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
