import type { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { OptionError } from "../../errors.ts";
import { batchesOf, type CaptionBatch } from "../captioning/batches.ts";
import { type Corpus, readCorpus } from "../captioning/corpus.ts";
import { checkTable } from "../captioning/inputs.ts";
import type { CaptioningSource } from "../captioning/options.ts";
import { standardise } from "../captioning/standardise.ts";
import { beginRun, runTraining } from "../run-training.ts";
import { openTraining, recordOptions, type Start, startRules } from "../start.ts";
import { type AlignmentConfig, makeConfig, readConfig } from "./config.ts";
import { type AlignmentMeasures, measureAlignment } from "./evaluate.ts";
import { AlignmentNetwork, countParameters, imageSentenceScores, rankingLoss } from "./network.ts";
import {
  type AlignedEvent,
  type AlignmentOptions,
  checkAlignmentOptions,
  type ResolvedOptions,
} from "./options.ts";

/** What an aligner is made of; an `ImageAligner` is one. */
export interface AlignmentParts {
  readonly network: AlignmentNetwork;
  readonly words: WordTokenizer;
  readonly config: AlignmentConfig;
}

const where = "ImageAligner.train";
const rules = startRules(where);

/** Builds and trains an aligner; what `ImageAligner.train` does. */
export async function trainAlignment(
  source: CaptioningSource,
  given: AlignmentOptions,
): Promise<AlignmentParts> {
  const start = await openTraining(given, rules, {
    check: checkAlignmentOptions,
    recorded: (json, file) => readConfig(json, file).training,
  });
  try {
    return await trainOn(await readCorpus(where, source, start.options), start);
  } finally {
    await start.close();
  }
}

async function trainOn(corpus: Corpus, start: Start<ResolvedOptions>): Promise<AlignmentParts> {
  const { options } = start;
  const { words, train, valid, lessons } = corpus;
  const { pixels, pooled, grid } = train.table.parts;
  if (pixels) {
    throw new OptionError(`${where}: images must be features, pooled, grid or both, got pixels`);
  }
  const image = {
    kind: "features" as const,
    ...(pooled && { pooled: pooled.shape[0]! }),
    ...(grid && { grid: grid.shape as [number, number, number] }),
  };
  if (valid) checkTable(`${where}: valid`, valid.table, image);
  const { embeddingSize, hiddenSize, dropout, batchTokens, seed } = options;
  beginRun(options);
  const config = makeConfig({
    network: { image, vocabulary: words.size + 1, embeddingSize, hiddenSize, dropout },
    training: recordOptions(options, rules),
  });
  const network = new AlignmentNetwork(config.network);
  standardise(network.encoder, train);
  // A sentence is read, not told: the boundary at its end is no word of it.
  const tokens = lessons.tokens.map((caption) => caption.slice(0, -1));
  await runTraining<CaptionBatch, AlignmentMeasures>(start, {
    task: "alignment",
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
      notes: [...train.notes, ...(valid?.notes ?? [])],
    } satisfies AlignedEvent,
    batches: batchesOf({ rows: lessons.rows, tokens }, batchTokens, seed),
    loss({ source: chosen, target, targetLengths }) {
      const [images, lengths] = [chosen.toArray(), Int32Array.from(targetLengths)];
      const read = network.words(target, lengths);
      const scores = imageSentenceScores(network.regions(train.table.batch(images)), read, lengths);
      return { loss: rankingLoss(scores, images), tokens: targetLengths.reduce((a, b) => a + b) };
    },
    ...(valid && {
      async validate(signal) {
        const measures = await measureAlignment({ network, words }, valid, { firstAlone: true, signal });
        return measures && { measures, least: 100 - 100 * meanRecall(measures) };
      },
    }),
  });
  return { network, words, config };
}

function meanRecall({ imageFromSentence, sentenceFromImage }: AlignmentMeasures): number {
  const recalls = [imageFromSentence, sentenceFromImage].flatMap(({ recallAt1, recallAt5, recallAt10 }) => [
    recallAt1,
    recallAt5,
    recallAt10,
  ]);
  return recalls.reduce((a, b) => a + b) / recalls.length;
}
