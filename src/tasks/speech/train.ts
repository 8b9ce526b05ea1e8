import { ctcLoss } from "../../ops/ctc-loss.ts";
import { expectedTranscriptionLoss } from "../../ops/expected-transcription-loss.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { beginRun, runTraining } from "../run-training.ts";
import { type SpeechBatch, SpeechBatches } from "./batches.ts";
import { makeConfig } from "./config.ts";
import { type Corpus, readCorpus } from "./corpus.ts";
import type { Item } from "./dataset.ts";
import type { CorpusEvent, SpeechMeasures } from "./events.ts";
import type { SpeechParts } from "./load.ts";
import { measureSpeech } from "./measure.ts";
import { countParameters, SpeechNetwork } from "./network.ts";
import type { ResolvedOptions, SpeechOptions } from "./options.ts";
import { forTheRecord, openSpeech, type SpeechStart } from "./resume.ts";
import type { SpeechSource } from "./utterances.ts";

/** Builds and trains a recogniser; what `SpeechRecognizer.train` does. */
export async function trainSpeech(source: SpeechSource, given: SpeechOptions): Promise<SpeechParts> {
  const start = await openSpeech(given);
  try {
    return await trainOn(await readCorpus(source, start.options, start.settings), start);
  } finally {
    await start.close();
  }
}

async function trainOn(corpus: Corpus, start: SpeechStart): Promise<SpeechParts> {
  const { options } = start;
  const { frontEnd, alphabet, statistics, train, valid } = corpus;
  const { seed, batchSize, measure } = options;
  beginRun(options);
  const config = makeConfig({
    frontEnd: frontEnd.config,
    statistics,
    unit: options.unit,
    lowercase: options.lowercase,
    labels: [...alphabet.labels],
    network: networkConfig(corpus, options),
    training: forTheRecord(options),
  });
  const network = new SpeechNetwork(config.network);
  if (start.weights) network.loadStateDict(start.weights);
  await runTraining<SpeechBatch, SpeechMeasures>(start, {
    task: "speech",
    data: { name: corpus.name, what: "recordings", fingerprint: corpus.fingerprint },
    config,
    network,
    parameters: countParameters(config.network),
    corpus: {
      type: "corpus",
      utterances: train.length,
      seconds: secondsOf(train),
      heldOut: valid.length,
      heldOutSeconds: secondsOf(valid),
      classes: alphabet.labels.length,
    } satisfies CorpusEvent,
    batches: new SpeechBatches(train, frontEnd, {
      ...{ batchSize, seed, masks: options },
      ...(options.loss === "expected" && { samples: options.samples ?? 5 }),
    }),
    loss(batch) {
      const logits = network.forward(batch.windows, batch.lengths);
      return { loss: lossOf(logits, batch, corpus, options), tokens: batch.count };
    },
    validateFirst: options.initFrom !== undefined,
    ...(valid.length > 0 && {
      async validate(aborted) {
        const measures = await measureSpeech(network, valid, corpus, aborted);
        if (!measures) return undefined;
        return { measures, least: { cer: measures.cer, wer: measures.wer, loss: measures.ctcLoss }[measure] };
      },
    }),
  });
  return { network, frontEnd, alphabet, config };
}

function lossOf(
  logits: Tensor,
  { lengths, targets, targetLengths, uniform }: SpeechBatch,
  { alphabet }: Corpus,
  { expectedOf = "wer" }: ResolvedOptions,
): Tensor {
  if (!uniform) return ctcLoss(logits, targets, lengths, targetLengths, { zeroInfinity: true });
  const byWord = alphabet.unit === "char" && expectedOf === "wer";
  return expectedTranscriptionLoss(logits, targets, lengths, targetLengths, uniform, {
    ...(byWord && { unit: "word", separator: alphabet.labels.indexOf(" ") }),
  });
}

const secondsOf = (items: readonly Item[]) => items.reduce((sum, { seconds }) => sum + seconds, 0);

function networkConfig({ frontEnd, alphabet }: Corpus, options: ResolvedOptions) {
  const { convolution, hiddenSize, numLayers, bidirectional, layerNorm, dropout } = options;
  return {
    inputSize: frontEnd.inputSize,
    ...(convolution !== undefined && { convolution }),
    ...{ hiddenSize, numLayers, bidirectional, layerNorm, dropout },
    classes: alphabet.labels.length,
  };
}
