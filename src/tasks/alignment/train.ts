import type { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { setThreads } from "../../engine/engine.ts";
import { OptionError } from "../../errors.ts";
import { writeModelFolder } from "../../io/model-folder.ts";
import { Adam } from "../../optim/adam.ts";
import { cosineSchedule } from "../../optim/schedule.ts";
import { manualSeed } from "../../tensor/random.ts";
import { Trainer } from "../../training/trainer.ts";
import { batchesOf, type CaptionBatch } from "../captioning/batches.ts";
import { readCorpus } from "../captioning/corpus.ts";
import type { CaptioningSource } from "../captioning/options.ts";
import { standardise } from "../captioning/standardise.ts";
import { type AlignmentConfig, makeConfig } from "./config.ts";
import { type AlignmentMeasures, measureAlignment } from "./evaluate.ts";
import { AlignmentNetwork, imageSentenceScores, rankingLoss } from "./network.ts";
import { type AlignmentEvent, type AlignmentOptions, checkAlignmentOptions } from "./options.ts";

/** What an aligner is made of; an `ImageAligner` is one. */
export interface AlignmentParts {
  readonly network: AlignmentNetwork;
  readonly words: WordTokenizer;
  readonly config: AlignmentConfig;
}

/** Builds and trains an aligner; what `ImageAligner.train` does. */
export async function trainAlignment(
  source: CaptioningSource,
  given: AlignmentOptions,
): Promise<AlignmentParts> {
  const { onProgress, ...options } = checkAlignmentOptions(given);
  const { embeddingSize, hiddenSize, dropout, seed, threads, signal, out, valid: _, ...rest } = options;
  const corpus = await readCorpus(source, options);
  const { words, train, valid } = corpus;
  const { pixels, pooled, grid } = train.table.parts;
  if (pixels) {
    throw new OptionError("ImageAligner.train: images must be features, pooled, grid or both, got pixels");
  }
  if (threads !== undefined) setThreads(threads);
  manualSeed(seed);
  const image = {
    kind: "features" as const,
    ...(pooled && { pooled: pooled.shape[0]! }),
    ...(grid && { grid: grid.shape as [number, number, number] }),
  };
  const config = makeConfig({
    network: { image, vocabulary: words.size + 1, embeddingSize, hiddenSize, dropout },
    training: { ...rest, seed },
  });
  const network = new AlignmentNetwork(config.network);
  standardise(network.encoder, train);
  onProgress?.({
    type: "corpus",
    images: train.images.length,
    heldOut: valid?.images.length ?? 0,
    captions: corpus.lessons.tokens.length,
    vocabulary: words.size,
    notes: [...train.notes, ...(valid?.notes ?? [])],
  });
  const { rows, tokens } = corpus.lessons;
  const lessons = { rows, tokens: tokens.map((caption) => caption.slice(0, -1)) };
  const batches = batchesOf(lessons, rest.batchTokens, seed);
  const { epochs, maxSteps, learningRate, clip } = rest;
  const totalSteps = Math.min(batches.length * epochs, maxSteps ?? Number.POSITIVE_INFINITY);
  let measured: AlignmentMeasures | undefined;
  const trainer = new Trainer<CaptionBatch, never>({
    model: network,
    batches,
    loss({ source: chosen, target, targetLengths }) {
      const [images, lengths] = [chosen.toArray(), Int32Array.from(targetLengths)];
      const read = network.words(target, lengths);
      const scores = imageSentenceScores(network.regions(train.table.batch(images)), read, lengths);
      return { loss: rankingLoss(scores, images), tokens: targetLengths.reduce((a, b) => a + b) };
    },
    optimizer: new Adam(network.namedParameters(), { learningRate }),
    schedule: cosineSchedule(learningRate, { totalSteps, warmupSteps: 0 }),
    epochs,
    clip,
    ...(maxSteps !== undefined && { maxSteps }),
    ...(valid && {
      async validate(aborted) {
        measured = await measureAlignment({ network, words }, valid, { firstAlone: true, signal: aborted });
        return measured && 100 - 100 * meanRecall(measured);
      },
    }),
  });
  for await (const told of trainer.run(signal)) {
    if (told.type === "checkpoint" || told.type === "sample") continue;
    onProgress?.((told.type === "validation" ? { ...told, ...measured } : told) as AlignmentEvent);
  }
  network.eval();
  if (out !== undefined) {
    await writeModelFolder(out, { config, tokenizer: words.toJSON(), weights: network.stateDict() });
  }
  return { network, words, config };
}

function meanRecall(measured: AlignmentMeasures): number {
  const recalls = [measured.imageFromSentence, measured.sentenceFromImage].flatMap(
    ({ recallAt1, recallAt5, recallAt10 }) => [recallAt1, recallAt5, recallAt10],
  );
  return recalls.reduce((a, b) => a + b) / recalls.length;
}
