import { OptionError } from "../../errors.ts";
import { beginRun, runTraining } from "../run-training.ts";
import { openTraining, recordOptions, type Start, startRules } from "../start.ts";
import { batchesOf, type CaptionBatch, ImageBatches } from "./batches.ts";
import { type CaptioningConfig, type ImageConfig, makeConfig, problemOf, readConfig } from "./config.ts";
import { type Corpus, readCorpus } from "./corpus.ts";
import type { CaptioningMeasures, CaptionsEvent } from "./events.ts";
import type { CaptioningParts } from "./load.ts";
import { captionLoss, measureCaptioning } from "./measure.ts";
import { CaptioningNetwork, countParameters } from "./network.ts";
import {
  type CaptioningOptions,
  type CaptioningSource,
  checkCaptioningOptions,
  type ResolvedOptions,
} from "./options.ts";
import { standardise } from "./standardise.ts";

const rules = startRules("ImageCaptioner.train");

/** Builds and trains a captioner; what `ImageCaptioner.train` does. */
export async function trainCaptioning(
  source: CaptioningSource,
  given: CaptioningOptions,
): Promise<CaptioningParts> {
  const start = await openTraining(given, rules, {
    check: checkCaptioningOptions,
    recorded: (json, file) => readConfig(json, file).training,
  });
  try {
    return await trainOn(await readCorpus("ImageCaptioner.train", source, start.options), start);
  } finally {
    await start.close();
  }
}

async function trainOn(corpus: Corpus, start: Start<ResolvedOptions>): Promise<CaptioningParts> {
  const { options } = start;
  const { words, train, lessons, valid } = corpus;
  const { seed, batchTokens, measure, labelSmoothing, maxLength } = options;
  beginRun(options);
  const config = makeConfig({
    maxLength,
    network: networkConfig(corpus, options),
    training: recordOptions(options, rules),
  });
  const network = new CaptioningNetwork(config.network);
  standardise(network.encoder, train);
  const sees = config.network.image.kind === "pixels";
  await runTraining<CaptionBatch, CaptioningMeasures>(start, {
    task: "captioning",
    data: { name: corpus.name, what: "images and captions", fingerprint: corpus.fingerprint },
    config,
    tokenizer: words.toJSON(),
    network,
    parameters: countParameters(config.network),
    corpus: {
      type: "corpus",
      images: train.images.length,
      heldOut: valid?.images.length ?? 0,
      captions: lessons.tokens.length,
      vocabulary: words.size,
      empty: corpus.empty,
      long: corpus.long,
      notes: [...train.notes, ...(valid?.notes ?? [])],
    } satisfies CaptionsEvent,
    batches: sees ? new ImageBatches(lessons, batchTokens, seed) : batchesOf(lessons, batchTokens, seed),
    loss: (batch) => captionLoss(network, train.table, batch, labelSmoothing),
    ...(valid && {
      async validate(aborted) {
        const measures = await measureCaptioning(network, { words, valid }, config, batchTokens, aborted);
        if (!measures) return undefined;
        const { bleu, cider, exact, perplexity } = measures;
        const least = { bleu: -bleu, cider: -cider, exact: -100 * exact, loss: Math.log(perplexity) }[
          measure
        ];
        return { measures, least };
      },
    }),
  });
  return { network, words, config };
}

function networkConfig(
  { words, train, valid }: Corpus,
  options: ResolvedOptions,
): CaptioningConfig["network"] {
  const { decoder, attention = "additive", embeddingSize, hiddenSize, dropout } = options;
  const config = {
    ...{ image: imageConfig(train.table.parts, options), decoder, attention },
    ...{ vocabulary: words.size + 1, embeddingSize, hiddenSize, dropout },
  };
  const problem = problemOf(config);
  if (problem) throw new OptionError(`ImageCaptioner.train: ${problem}`);
  const shapes = ({ table }: typeof train) =>
    JSON.stringify(Object.entries(table.parts).map(([name, { shape }]) => [name, shape]));
  if (valid && shapes(valid) !== shapes(train)) {
    throw new OptionError(
      `ImageCaptioner.train: images to validate on must be as those to learn from, ${shapes(train)}, got ${shapes(valid)}`,
    );
  }
  return config;
}

function imageConfig(
  { pixels, pooled, grid }: Corpus["train"]["table"]["parts"],
  { channels, imageSize }: ResolvedOptions,
): ImageConfig {
  if (!pixels) {
    const other = Object.entries({ channels, imageSize }).find(([, given]) => given !== undefined);
    if (other) {
      throw new OptionError(
        `ImageCaptioner.train: ${other[0]} is of images that are pixels, and these are features`,
      );
    }
    return {
      kind: "features",
      ...(pooled && { pooled: pooled.shape[0]! }),
      ...(grid && { grid: grid.shape as [number, number, number] }),
    };
  }
  const [, height, width] = pixels.shape as [number, number, number];
  if (height !== width || (imageSize !== undefined && imageSize !== height)) {
    throw new OptionError(
      `ImageCaptioner.train: pixels must be ${imageSize ?? height} × ${imageSize ?? height}, got ${height} × ${width}`,
    );
  }
  return { kind: "pixels", size: height, channels: [...(channels ?? [16, 32, 64, 64])] };
}
