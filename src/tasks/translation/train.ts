import type { PairBatch } from "../../data/text/translation/pair-batches.ts";
import { uniform } from "../../nn/init.ts";
import { randomState } from "../../tensor/random.ts";
import { beginRun, runTraining } from "../run-training.ts";
import { openTraining, recordOptions, type Start, startRules } from "../start.ts";
import { makeConfig, readConfig } from "./config.ts";
import { batchesOf, type Corpus, readCorpus } from "./corpus.ts";
import type { CorpusEvent, TranslationMeasures } from "./events.ts";
import { languagesToJSON } from "./languages.ts";
import type { TranslationParts } from "./load.ts";
import { measureTranslation, pairLoss } from "./measure.ts";
import { countParameters, TranslationNetwork } from "./network.ts";
import {
  checkTranslationOptions,
  type ResolvedOptions,
  type TranslationOptions,
  type TranslationSource,
} from "./options.ts";

const rules = startRules("Translator.train");

/** Builds and trains a translator; what `Translator.train` does. */
export async function trainTranslation(
  source: TranslationSource,
  given: TranslationOptions,
): Promise<TranslationParts> {
  const start = await openTraining(given, rules, {
    check: checkTranslationOptions,
    recorded: (json, file) => readConfig(json, file).training,
  });
  try {
    return await trainOn(await readCorpus(source, start.options), start);
  } finally {
    await start.close();
  }
}

async function trainOn(corpus: Corpus, start: Start<ResolvedOptions>): Promise<TranslationParts> {
  const { options } = start;
  const { languages, train, valid } = corpus;
  const { seed, batchTokens, measure, labelSmoothing, scheduledSampling, initRange } = options;
  beginRun(options);
  const { unit, lowercase, joint, reverseSource, maxLength } = options;
  const config = makeConfig({
    ...{ unit, lowercase, joint, reverseSource, maxLength },
    network: networkConfig(corpus, options),
    training: recordOptions(options, rules),
  });
  const network = new TranslationNetwork(config.network, { joint });
  if (initRange !== undefined) for (const p of network.parameters()) uniform(p, -initRange, initRange);
  const batches = batchesOf(train, batchTokens, seed);
  const updates = Math.min(batches.length * options.epochs, options.maxSteps ?? Number.POSITIVE_INFINITY);
  const { sourceVocabulary, targetVocabulary } = config.network;
  await runTraining<PairBatch, TranslationMeasures>(start, {
    task: "translation",
    data: { name: corpus.name, what: "sentences", fingerprint: corpus.fingerprint },
    config,
    tokenizer: languagesToJSON(languages),
    network,
    parameters: countParameters(config.network, joint),
    corpus: {
      type: "corpus",
      pairs: train.source.length,
      heldOut: valid.source.length,
      sourceVocabulary,
      targetVocabulary,
      empty: corpus.empty,
      long: corpus.long,
    } satisfies CorpusEvent,
    batches,
    loss(batch) {
      const ownWords = (scheduledSampling * randomState.step) / updates;
      return pairLoss(network, batch, { labelSmoothing, ownWords });
    },
    ...(valid.source.length > 0 && {
      async validate(aborted) {
        const measures = await measureTranslation(network, corpus, batchTokens, aborted);
        if (!measures) return undefined;
        const { bleu, exact, perplexity } = measures;
        const least = { bleu: 100 - bleu, exact: 100 * (1 - exact), loss: Math.log(perplexity) }[measure];
        return { measures, least };
      },
    }),
  });
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
