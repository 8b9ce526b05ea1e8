import { setThreads } from "../../engine/engine.ts";
import { OptionError } from "../../errors.ts";
import { writeModelFolder } from "../../io/model-folder.ts";
import { Adam, AdamW } from "../../optim/adam.ts";
import { RMSProp } from "../../optim/rmsprop.ts";
import { SGD } from "../../optim/sgd.ts";
import { manualSeed } from "../../tensor/random.ts";
import { folderCheckpoints } from "../../training/checkpoints.ts";
import { checkData, madeOf, resumeEvent } from "../../training/continue.ts";
import { openLog } from "../../training/logs/open-log.ts";
import { type Checkpoints, Trainer } from "../../training/trainer.ts";
import { type Start, scheduleOf } from "../start.ts";
import { batchesOf, type CaptionBatch, ImageBatches } from "./batches.ts";
import { type CaptioningConfig, type ImageConfig, makeConfig, problemOf } from "./config.ts";
import { type Corpus, readCorpus } from "./corpus.ts";
import type { CaptioningEvent, CaptioningMeasures } from "./events.ts";
import type { CaptioningParts } from "./load.ts";
import { captionLoss, measureCaptioning } from "./measure.ts";
import { CaptioningNetwork, countParameters } from "./network.ts";
import type { CaptioningOptions, CaptioningSource, ResolvedOptions } from "./options.ts";
import { forTheRecord, openCaptioning } from "./resume.ts";
import { standardise } from "./standardise.ts";

/** Builds and trains a captioner; what `ImageCaptioner.train` does. */
export async function trainCaptioning(
  source: CaptioningSource,
  given: CaptioningOptions,
): Promise<CaptioningParts> {
  const start = await openCaptioning(given);
  try {
    return await trainOn(await readCorpus(source, start.options), start);
  } finally {
    await start.close();
  }
}

async function trainOn(corpus: Corpus, start: Start<ResolvedOptions>): Promise<CaptioningParts> {
  const { options, folder, checkpoint } = start;
  const { words, train, lessons, valid } = corpus;
  const { seed, onProgress, batchTokens, epochs, measure, labelSmoothing, maxLength } = options;
  const { maxSteps, clip, validateEvery, patience, ema, checkpointEvery, logEvery, signal } = options;
  if (options.threads !== undefined) setThreads(options.threads);
  manualSeed(seed);
  const config = makeConfig({
    maxLength,
    network: networkConfig(corpus, options),
    training: forTheRecord(options),
  });
  const network = new CaptioningNetwork(config.network);
  standardise(network.encoder, train);
  let checkpoints: Checkpoints | undefined;
  if (folder !== undefined) {
    const made = madeOf(corpus.fingerprint());
    checkData(start, made.data, corpus.name, "images and captions");
    checkpoints = folderCheckpoints(folder, made, checkpoint?.number);
    await writeModelFolder(folder, { config, tokenizer: words.toJSON() });
  }
  const resumed = options.resume ? resumeEvent(start) : undefined;
  const parameters = countParameters(config.network);
  const log = await openLog(
    "captioning",
    options,
    { data: corpus.name, ...config.training, parameters },
    resumed?.step,
  );
  if (resumed) {
    await log?.write(resumed);
    onProgress?.(resumed);
  }
  onProgress?.({
    type: "corpus",
    images: train.images.length,
    heldOut: valid?.images.length ?? 0,
    captions: lessons.tokens.length,
    vocabulary: words.size,
    empty: corpus.empty,
    long: corpus.long,
    notes: [...train.notes, ...(valid?.notes ?? [])],
  });

  const sees = config.network.image.kind === "pixels";
  const batches = sees ? new ImageBatches(lessons, batchTokens, seed) : batchesOf(lessons, batchTokens, seed);
  let measured: CaptioningMeasures | undefined;
  const trainer = new Trainer<CaptionBatch, never>({
    model: network,
    batches,
    loss: (batch) => captionLoss(network, train.table, batch, labelSmoothing),
    optimizer: makeOptimizer(network, options),
    schedule: scheduleOf(options, batches.length),
    epochs,
    clip,
    ...(valid && {
      async validate(aborted) {
        measured = await measureCaptioning(network, { words, valid }, config, batchTokens, aborted);
        if (!measured) return undefined;
        const { bleu, cider, exact, perplexity } = measured;
        return { bleu: -bleu, cider: -cider, exact: -100 * exact, loss: Math.log(perplexity) }[measure];
      },
    }),
    ...(maxSteps !== undefined && { maxSteps }),
    ...(validateEvery !== undefined && { validateEvery }),
    ...(patience !== undefined && { patience }),
    ...(ema !== undefined && { ema }),
    ...(checkpointEvery !== undefined && { checkpointEvery }),
    ...(logEvery !== undefined && { logEvery }),
    ...(checkpoints && { checkpoints }),
  });
  if (checkpoint) trainer.restore(checkpoint.state, checkpoint.best);
  for await (const told of trainer.run(signal)) {
    const event = (told.type === "validation" ? { ...told, ...measured } : told) as Exclude<
      CaptioningEvent,
      { type: "corpus" | "images" }
    >;
    await log?.write(event);
    onProgress?.(event);
  }
  network.eval();
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
  { channels = [16, 32, 64, 64], imageSize }: ResolvedOptions,
): ImageConfig {
  if (!pixels) {
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
  return { kind: "pixels", size: height, channels: [...channels] };
}

const optimizers = { sgd: SGD, adam: Adam, adamw: AdamW, rmsprop: RMSProp };

function makeOptimizer(
  network: CaptioningNetwork,
  { optimizer, learningRate, weightDecay }: ResolvedOptions,
) {
  return new optimizers[optimizer](network.namedParameters(), { learningRate, weightDecay });
}
