import { setThreads } from "../../engine/engine.ts";
import { writeModelFolder } from "../../io/model-folder.ts";
import { ctcLoss } from "../../ops/ctc-loss.ts";
import { Adam, AdamW } from "../../optim/adam.ts";
import { RMSProp } from "../../optim/rmsprop.ts";
import { SGD } from "../../optim/sgd.ts";
import { manualSeed } from "../../tensor/random.ts";
import { folderCheckpoints } from "../../training/checkpoints.ts";
import { checkData, madeOf, resumeEvent } from "../../training/continue.ts";
import { openLog } from "../../training/logs/open-log.ts";
import { type Checkpoints, Trainer } from "../../training/trainer.ts";
import { type Start, scheduleOf } from "../start.ts";
import { type SpeechBatch, SpeechBatches } from "./batches.ts";
import { makeConfig } from "./config.ts";
import { type Corpus, readCorpus } from "./corpus.ts";
import type { Item } from "./dataset.ts";
import type { SpeechEvent, SpeechMeasures } from "./events.ts";
import type { SpeechParts } from "./load.ts";
import { measureSpeech } from "./measure.ts";
import { countParameters, SpeechNetwork } from "./network.ts";
import type { ResolvedOptions, SpeechOptions } from "./options.ts";
import { forTheRecord, openSpeech } from "./resume.ts";
import type { SpeechSource } from "./utterances.ts";

/** Builds and trains a recogniser; what `SpeechRecognizer.train` does. */
export async function trainSpeech(source: SpeechSource, given: SpeechOptions): Promise<SpeechParts> {
  const start = await openSpeech(given);
  try {
    return await trainOn(await readCorpus(source, start.options), start);
  } finally {
    await start.close();
  }
}

async function trainOn(corpus: Corpus, start: Start<ResolvedOptions>): Promise<SpeechParts> {
  const { options, folder, checkpoint } = start;
  const { frontEnd, alphabet, statistics, train, valid } = corpus;
  const { seed, signal, onProgress, batchSize, epochs, measure, accumulate } = options;
  const { maxSteps, clip, validateEvery, patience, ema, checkpointEvery, logEvery } = options;
  if (options.threads !== undefined) setThreads(options.threads);
  manualSeed(seed);
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
  let checkpoints: Checkpoints | undefined;
  if (folder !== undefined) {
    const made = madeOf(corpus.fingerprint());
    checkData(start, made.data, corpus.name, "recordings");
    checkpoints = folderCheckpoints(folder, made, checkpoint?.number);
    await writeModelFolder(folder, { config });
  }
  const resumed = options.resume ? resumeEvent(start) : undefined;
  const parameters = countParameters(config.network);
  const log = await openLog(
    "speech",
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
    utterances: train.length,
    seconds: secondsOf(train),
    heldOut: valid.length,
    heldOutSeconds: secondsOf(valid),
    classes: alphabet.labels.length,
  });

  const batches = new SpeechBatches(train, frontEnd, { batchSize, seed, masks: options });
  let measured: SpeechMeasures | undefined;
  const trainer = new Trainer<SpeechBatch, never>({
    model: network,
    batches,
    loss({ windows, lengths, targets, targetLengths, count }) {
      const logits = network.forward(windows, lengths);
      return {
        loss: ctcLoss(logits, targets, lengths, targetLengths, { zeroInfinity: true }),
        tokens: count,
      };
    },
    optimizer: makeOptimizer(network, options),
    schedule: scheduleOf(options, Math.ceil(batches.length / accumulate)),
    epochs,
    clip,
    accumulate,
    ...(valid.length > 0 && {
      async validate(aborted) {
        measured = await measureSpeech(network, valid, corpus, aborted);
        return measured && { cer: measured.cer, wer: measured.wer, loss: measured.ctcLoss }[measure];
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
      SpeechEvent,
      { type: "features" | "skipped" | "corpus" }
    >;
    await log?.write(event);
    onProgress?.(event);
  }
  network.eval();
  return { network, frontEnd, alphabet, config };
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

const optimizers = { sgd: SGD, rmsprop: RMSProp, adam: Adam, adamw: AdamW };

function makeOptimizer(network: SpeechNetwork, { optimizer, learningRate, weightDecay }: ResolvedOptions) {
  return new optimizers[optimizer](network.namedParameters(), { learningRate, weightDecay });
}
