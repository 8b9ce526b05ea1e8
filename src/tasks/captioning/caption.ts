import * as v from "valibot";
import type { ImageTable } from "../../data/images/image-table.ts";
import { type BeamOptions, beamEntries } from "../../decoding/beam-search.ts";
import { OptionError } from "../../errors.ts";
import { checkOptions, functionOf, recordOf, type SchemasOf, text, trueOrFalse } from "../../options.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { gridOf } from "./config.ts";
import { type Decoded, decodeBatch } from "./decode.ts";
import type { CaptioningParts } from "./load.ts";
import type { CaptioningNetwork } from "./network.ts";
import { decodeCaption, unsayable } from "./vocabulary.ts";

export interface CaptionOptions extends BeamOptions {
  /** Of models that see features, for images that are files: the CNN as ONNX that makes them. */
  encoder?: string;
  /** Say where was looked, of models that look. Default false. */
  attention?: boolean;
  /** How many images are done, of how many. */
  onProgress?: (event: { images: number; of: number }) => void;
  /** Ends it with the signal's reason. */
  signal?: AbortSignal;
}

const schema = recordOf({
  ...beamEntries,
  encoder: v.optional(text()),
  attention: v.optional(trueOrFalse(), false),
  onProgress: v.optional(functionOf<NonNullable<CaptionOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<CaptionOptions>);

/** One way to describe an image. */
export interface CaptionAlternative {
  text: string;
  /** ln P of its words and the end. */
  logProbability: number;
  /** What alternatives are ranked by: that, by the length penalty. */
  score: number;
}

/** Where was looked: for each word, and the end, the weight of each cell of a grid, row by row. */
export interface CaptionAttention {
  words: string[];
  rows: number;
  columns: number;
  weights: Float32Array[];
}

export interface Caption extends CaptionAlternative {
  /** The best and others, if `nBest` asks for more than one. */
  alternatives?: CaptionAlternative[];
  attention?: CaptionAttention;
  /** What is not as asked: the caption was cut off. */
  notes: string[];
}

/** Images that are described at once, times hypotheses. */
const BATCH = 512;

type Told = CaptioningParts & { networks: readonly CaptioningNetwork[] };

/** Captions of some rows of a table, in order; undefined once aborted. */
export async function describeRows(
  { networks, words, config }: Pick<Told, "networks" | "words" | "config">,
  table: ImageTable,
  rows: readonly number[],
  { beam = 1, nBest = 1, lengthPenalty = 1 }: BeamOptions,
  { attention = false, signal, onProgress }: Omit<CaptionOptions, keyof BeamOptions> = {},
): Promise<Decoded[][] | undefined> {
  const pause = eventLoopTurns();
  const options = { maxLength: config.maxLength, never: unsayable(words), attention };
  const count = Math.max(1, Math.floor(BATCH / beam));
  const out: Decoded[][] = [];
  for (let from = 0; from < rows.length; from += count) {
    if (signal?.aborted) return undefined;
    const images = table.batch(rows.slice(from, from + count));
    out.push(...decodeBatch(networks, images, { beam, nBest, lengthPenalty }, options));
    onProgress?.({ images: out.length, of: rows.length });
    await pause();
  }
  return out;
}

/** Captions of images. */
export async function captionRows(
  model: Told,
  table: ImageTable,
  rows: readonly number[],
  options: CaptionOptions,
): Promise<Caption[]> {
  const {
    attention,
    signal,
    onProgress,
    encoder: _,
    ...search
  } = checkOptions("ImageCaptioner.caption", schema, options);
  if (search.nBest > search.beam) {
    throw new OptionError(
      `ImageCaptioner.caption: nBest must be at most beam, ${search.beam}, got ${search.nBest}`,
    );
  }
  if (attention && !model.networks[0]!.attention) {
    throw new OptionError(
      "ImageCaptioner.caption: attention is of models that have it, and this one has none",
    );
  }
  const found = await describeRows(model, table, rows, search, {
    attention,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  signal?.throwIfAborted();
  return found!.map((list) => {
    const alternatives = list.map(({ tokens, logProbability, score }) => ({
      text: decodeCaption(model.words, tokens),
      logProbability,
      score,
    }));
    const [best] = list as [Decoded];
    const notes = best.truncated ? [`the caption was cut off after ${best.tokens.length} words`] : [];
    return {
      ...alternatives[0]!,
      ...(search.nBest > 1 && { alternatives }),
      ...(best.attention && { attention: lookedAt(model, best) }),
      notes,
    };
  });
}

function lookedAt({ words, config }: Told, { tokens, attention }: Decoded): CaptionAttention {
  const [, rows, columns] = gridOf(config.network.image)!;
  return { words: tokens.map((token) => words.name(token - 1)), rows, columns, weights: attention! };
}
