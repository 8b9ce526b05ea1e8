import type { PairBatch } from "../../data/text/translation/pair-batches.ts";
import { setThreads } from "../../engine/engine.ts";
import { writeModelFolder } from "../../io/model-folder.ts";
import { uniform } from "../../nn/init.ts";
import { Adam, AdamW } from "../../optim/adam.ts";
import { SGD } from "../../optim/sgd.ts";
import { manualSeed, randomState } from "../../tensor/random.ts";
import { folderCheckpoints } from "../../training/checkpoints.ts";
import { checkData, madeOf, resumeEvent } from "../../training/continue.ts";
import { openLog } from "../../training/logs/open-log.ts";
import { type Checkpoints, Trainer } from "../../training/trainer.ts";
import { type Start, scheduleOf } from "../start.ts";
import { makeConfig } from "./config.ts";
import { batchesOf, type Corpus, readCorpus } from "./corpus.ts";
import type { TranslationEvent, TranslationMeasures } from "./events.ts";
import { languagesToJSON } from "./languages.ts";
import type { TranslationParts } from "./load.ts";
import { measureTranslation, pairLoss } from "./measure.ts";
import { countParameters, TranslationNetwork } from "./network.ts";
import type { ResolvedOptions, TranslationOptions, TranslationSource } from "./options.ts";
import { forTheRecord, openTranslation } from "./resume.ts";

/** Builds and trains a translator; what `Translator.train` does. */
export async function trainTranslation(
  source: TranslationSource,
  given: TranslationOptions,
): Promise<TranslationParts> {
  const start = await openTranslation(given);
  try {
    return await trainOn(await readCorpus(source, start.options), start);
  } finally {
    await start.close();
  }
}

async function trainOn(corpus: Corpus, start: Start<ResolvedOptions>): Promise<TranslationParts> {
  const { options, folder, checkpoint } = start;
  const { languages, train, valid } = corpus;
  const { seed, onProgress, batchTokens, epochs, measure, labelSmoothing, scheduledSampling } = options;
  const { initRange, maxSteps, clip, validateEvery, patience, ema, checkpointEvery, logEvery, signal } =
    options;
  if (options.threads !== undefined) setThreads(options.threads);
  manualSeed(seed);
  const { unit, lowercase, joint, reverseSource, maxLength } = options;
  const config = makeConfig({
    ...{ unit, lowercase, joint, reverseSource, maxLength },
    network: networkConfig(corpus, options),
    training: forTheRecord(options),
  });
  const network = new TranslationNetwork(config.network, { joint });
  if (initRange !== undefined) for (const p of network.parameters()) uniform(p, -initRange, initRange);
  let checkpoints: Checkpoints | undefined;
  if (folder !== undefined) {
    const made = madeOf(corpus.fingerprint());
    checkData(start, made.data, corpus.name, "sentences");
    checkpoints = folderCheckpoints(folder, made, checkpoint?.number);
    await writeModelFolder(folder, { config, tokenizer: languagesToJSON(languages) });
  }
  const resumed = options.resume ? resumeEvent(start) : undefined;
  const parameters = countParameters(config.network, joint);
  const log = await openLog(
    "translation",
    options,
    { data: corpus.name, ...config.training, parameters },
    resumed?.step,
  );
  if (resumed) {
    await log?.write(resumed);
    onProgress?.(resumed);
  }
  const { sourceVocabulary, targetVocabulary } = config.network;
  onProgress?.({
    type: "corpus",
    pairs: train.source.length,
    heldOut: valid.source.length,
    sourceVocabulary,
    targetVocabulary,
    empty: corpus.empty,
    long: corpus.long,
  });

  const batches = batchesOf(train, batchTokens, seed);
  let measured: TranslationMeasures | undefined;
  const trainer = new Trainer<PairBatch, never>({
    model: network,
    batches,
    loss: (batch) => {
      const ownWords = (scheduledSampling * randomState.step) / (batches.length * epochs);
      return pairLoss(network, batch, { labelSmoothing, ownWords });
    },
    optimizer: makeOptimizer(network, options),
    schedule: scheduleOf(options, batches.length),
    epochs,
    clip,
    ...(valid.source.length > 0 && {
      async validate(aborted) {
        measured = await measureTranslation(network, corpus, batchTokens, aborted);
        if (!measured) return undefined;
        const { bleu, exact, perplexity } = measured;
        return { bleu: 100 - bleu, exact: 100 * (1 - exact), loss: Math.log(perplexity) }[measure];
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
      TranslationEvent,
      { type: "corpus" }
    >;
    await log?.write(event);
    onProgress?.(event);
  }
  network.eval();
  return { network, languages, config };
}

function networkConfig({ languages }: Corpus, options: ResolvedOptions) {
  const { cell, embeddingSize, hiddenSize, numLayers, bidirectional, attention, decoder } = options;
  const { dropout, tieWeights } = options;
  return {
    cell,
    sourceVocabulary: languages.source.size + 1,
    targetVocabulary: languages.target.size + 1,
    ...{ embeddingSize, hiddenSize, numLayers, bidirectional, attention, decoder },
    ...{ dropout, tieWeights },
  };
}

const optimizers = { sgd: SGD, adam: Adam, adamw: AdamW };

function makeOptimizer(
  network: TranslationNetwork,
  { optimizer, learningRate, weightDecay }: ResolvedOptions,
) {
  return new optimizers[optimizer](network.namedParameters(), { learningRate, weightDecay });
}
