import * as v from "valibot";
import { type CaptionSplit, splits } from "../../data/images/caption-file.ts";
import type { ImageTable } from "../../data/images/image-table.ts";
import { type CaptionScores, captionScores } from "../../metrics/caption-scores.ts";
import { checkOptions, oneOf, recordWith } from "../../options.ts";
import type { Caption, CaptionOptions } from "./caption.ts";
import type { CaptioningConfig } from "./config.ts";
import { readCaptioned } from "./corpus.ts";
import { checkTable } from "./inputs.ts";
import { exactPart } from "./measure.ts";
import { type CaptioningSource, sourceSchema } from "./options.ts";

export interface CaptioningEvaluateOptions extends Omit<CaptionOptions, "encoder"> {
  /** Of captions that say which part their images belong to. Default "test". */
  part?: CaptionSplit;
}

const schema = recordWith({ part: v.optional(oneOf(splits), "test") });

export interface CaptioningEvaluation extends CaptionScores {
  images: number;
  /** Captions of people. */
  references: number;
  /** The part of captions that are one of their image's, word for word. */
  exact: number;
  /** Seconds that captioning took. */
  seconds: number;
  /** What the captions are, each with the name of its image. */
  captions: (Caption & { image: string })[];
  notes: string[];
}

interface Captioner {
  config: CaptioningConfig;
  captionTable(table: ImageTable, rows: readonly number[], options: CaptionOptions): Promise<Caption[]>;
}

/** Scores the captions of images by what people say of them. */
export async function evaluateCaptioning(
  captioner: Captioner,
  given: CaptioningSource,
  options: CaptioningEvaluateOptions,
): Promise<CaptioningEvaluation> {
  const where = "ImageCaptioner.evaluate";
  const { part } = checkOptions(where, schema, options);
  const { part: _, ...search } = options;
  const { image } = captioner.config.network;
  const source = checkOptions(where, sourceSchema, given) as CaptioningSource;
  const { table, images, notes } = await readCaptioned(
    source,
    part,
    image.kind === "pixels" ? { imageSize: image.size } : {},
  );
  checkTable(where, table, image);
  const began = performance.now();
  const captions = await captioner.captionTable(
    table,
    images.map(({ row }) => row),
    search,
  );
  const seconds = (performance.now() - began) / 1000;
  const texts = captions.map(({ text }) => text);
  const references = images.map((one) => one.references);
  return {
    images: images.length,
    references: references.flat().length,
    ...captionScores(texts, references),
    exact: exactPart(texts, images),
    seconds,
    captions: captions.map((caption, i) => ({ image: images[i]!.name, ...caption })),
    notes,
  };
}
