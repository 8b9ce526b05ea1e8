import type { LanguageModelBatch } from "../../data/text/stream-batches.ts";
import { OptionError } from "../../errors.ts";
import { perplexity } from "../../metrics/perplexity.ts";
import { freeze } from "../../nn/freeze.ts";
import { uniform } from "../../nn/init.ts";
import { Adagrad } from "../../optim/adagrad.ts";
import { Adam, AdamW } from "../../optim/adam.ts";
import { RMSProp } from "../../optim/rmsprop.ts";
import {
  constantSchedule,
  cosineSchedule,
  halvingSchedule,
  plateauSchedule,
  type Schedule,
  stepSchedule,
} from "../../optim/schedule.ts";
import { SGD } from "../../optim/sgd.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ResumeEvent, TrainingEvent } from "../../training/events.ts";
import { Trainer } from "../../training/trainer.ts";
import { beginRun, openRun } from "../run-training.ts";
import { activationPenalty } from "./activation-penalty.ts";
import { binWords } from "./classes.ts";
import { ascending, makeConfig, type NetworkConfig } from "./config.ts";
import { type Corpus, lineBreakOf, readCorpus } from "./data.ts";
import { evaluateLosses, shareAmongRare, tokenLosses } from "./evaluate.ts";
import type { CorpusEvent, InitialisedEvent, LanguageModelEvent, ReadingEvent } from "./events.ts";
import { evaluateGaps } from "./fill.ts";
import { checkTokens, initialise } from "./initialise.ts";
import { countParameters, LanguageModelNetwork, type NetworkState, prepareNetwork } from "./network.ts";
import type { LanguageModelOptions, ResolvedOptions, TextSource } from "./options.ts";
import { forTheRecord, openTraining, type Start } from "./resume.ts";
import { sampledCrossEntropy } from "./sampled-softmax.ts";
import { writeSample } from "./write-sample.ts";

/** Builds and trains a language model; what `LanguageModel.train` does. */
export async function trainLanguageModel(source: TextSource, given: LanguageModelOptions) {
  const start = await openTraining(given);
  try {
    const corpus = await readCorpus(source, start.options, start.tokenizer);
    try {
      return await trainOn(corpus, start);
    } finally {
      corpus.close();
    }
  } finally {
    await start.close();
  }
}

async function trainOn(corpus: Corpus, start: Start) {
  const { name, tokenizer, train, valid, fingerprint } = corpus;
  const { options, initial, checkpoint } = start;
  const { signal, clip, clipValue, accumulate, epochs, maxSteps, windows } = options;
  const { validateEvery, patience, ema, nonmono = 5, onProgress } = options;
  beginRun(options);
  if (initial) checkTokens(initial, tokenizer);
  const config = makeConfig(networkConfig(corpus, start), forTheRecord(options));
  await prepareNetwork(config.network);
  const network = new LanguageModelNetwork(config.network);
  const { initRange } = options;
  if (initRange !== undefined) for (const p of network.parameters()) uniform(p, -initRange, initRange);
  const initialised = initial && initialise(network, tokenizer, initial);
  if (options.freeze) freeze(network, options.freeze);
  const data = { name, what: "texts", fingerprint };
  const { checkpoints, log } = await openRun(
    start,
    { task: "language-model", data, config, tokenizer },
    {
      text: name,
      ...config.training,
      ...config.network,
      learningRate: learningRateOf(options),
      parameters: countParameters(config.network),
    },
  );
  if (initialised) {
    await log?.write({ ...initialised, step: 0 });
    onProgress?.(initialised);
  }

  const updatesPerEpoch = Math.ceil(train.length / accumulate);
  const schedule = makeSchedule(options, updatesPerEpoch);
  const optimizer = makeOptimizer(network, options);
  const { weightDecay, directRate = 1, sampledSoftmax } = options;
  const carries = windows === "sequential" && !options.independent;
  const trainer = new Trainer<LanguageModelBatch, NetworkState>({
    model: network,
    batches: train,
    loss(batch, state) {
      const learn = { learningRate: optimizer.learningRate * directRate, weightDecay };
      let penalty: Tensor | undefined;
      const { loss, state: next } = network.loss(batch, state, {
        learn,
        watch(hidden, dropped) {
          penalty = activationPenalty(hidden, dropped, options);
        },
        ...(sampledSoftmax !== undefined && {
          softmaxLoss: (x, output, targets) => sampledCrossEntropy(x, output, targets, sampledSoftmax),
        }),
      });
      const tokens = batch.count ?? batch.targets.size;
      return { loss, tokens, ...(penalty && { penalty }), ...(carries && { state: next }) };
    },
    optimizer,
    schedule,
    epochs,
    ...(maxSteps !== undefined && { maxSteps }),
    ...(clip !== undefined && { clip }),
    ...(clipValue !== undefined && { clipValue }),
    accumulate,
    ...(valid && {
      async validate(aborted) {
        if (network.backward) {
          const gaps = { lineBreak: lineBreakOf(corpus), signal: aborted };
          return (await evaluateGaps(network.eval(), valid, tokenizer, gaps))?.loss;
        }
        const losses = shareAmongRare(tokenLosses(network.eval(), valid), valid, tokenizer);
        return (await evaluateLosses(losses, valid.length - 1, aborted))?.loss;
      },
    }),
    ...(validateEvery !== undefined && { validateEvery }),
    validateFirst: options.initFrom !== undefined,
    ...(patience !== undefined && { patience }),
    ...(ema !== undefined && { ema }),
    ...(options.optimizer === "asgd" && { asgd: {} }),
    ...(options.optimizer === "nt-asgd" && { asgd: { nonmono } }),
    ...(options.logEvery !== undefined && { logEvery: options.logEvery }),
    norms: options.logNorms === true,
    profile: options.profile === true,
    ...(options.sampleEvery !== undefined && {
      samples: { every: options.sampleEvery, write: () => writeSample(network, tokenizer, options.seed) },
    }),
    ...(checkpoints && { checkpoints }),
    ...(options.checkpointEvery !== undefined && { checkpointEvery: options.checkpointEvery }),
  });
  if (checkpoint) trainer.restore(checkpoint.state, checkpoint.best);
  for await (const told of trainer.run(signal)) {
    const event = withPerplexity(told);
    await log?.write(event);
    onProgress?.(event);
  }
  network.eval();
  return { network, tokenizer, config };
}

function withPerplexity(
  event: TrainingEvent,
): Exclude<LanguageModelEvent, ReadingEvent | CorpusEvent | InitialisedEvent | ResumeEvent> {
  if (event.type === "validation") return { ...event, perplexity: perplexity(event.loss) };
  if (event.type === "done" && event.validLoss !== undefined) {
    return { ...event, perplexity: perplexity(event.validLoss) };
  }
  return event;
}

function networkConfig(corpus: Corpus, { options, classes: given }: Start): NetworkConfig {
  const { cell, hiddenSize, embeddingSize = hiddenSize, numLayers, dropout, tieWeights } = options;
  const { nonlinearity = "tanh", compression } = options;
  const { variationalDropout, weightDrop, zoneout, zoneoutCell } = options;
  const { output, classes = 100, classBinning = "sqrt-frequency", direct = 0, directOrder = 3 } = options;
  return {
    vocabularySize: corpus.tokenizer.size,
    embeddingSize,
    cell,
    ...(cell === "rnn" && { nonlinearity }),
    hiddenSize,
    numLayers,
    dropout,
    ...(variationalDropout && { variationalDropout }),
    ...(weightDrop !== undefined && { weightDrop }),
    ...(zoneout !== undefined && { zoneout }),
    ...(zoneoutCell !== undefined && { zoneoutCell }),
    tieWeights,
    ...(compression !== undefined && { compression }),
    ...(output === "classes" && {
      classes: given?.length === classes ? given : binWords(corpus.counts(), classes, classBinning),
    }),
    ...(direct > 0 && { direct, directOrder }),
    ...(output === "adaptive" && { cutoffs: cutoffsOf(corpus.tokenizer.size, options.cutoffs) }),
    ...(options.bidirectional && { bidirectional: true }),
    ...(options.independent && { resetAt: lineBreakOf(corpus) }),
  };
}

function cutoffsOf(vocabulary: number, given: readonly number[] | undefined): number[] {
  const cutoffs = given ? [...given] : [2000, 10_000].filter((word) => word < vocabulary);
  if (cutoffs.length > 0 && ascending(cutoffs, vocabulary)) return cutoffs;
  const hint = `give cutoffs, e.g. [${Math.ceil(vocabulary / 5)}], or leave out output adaptive`;
  throw new OptionError(
    `LanguageModel.train: cutoffs must ascend below the vocabulary of ${vocabulary}, got [${cutoffs.join(", ")}]`,
    { hint },
  );
}

const defaultRates = {
  sgd: 1,
  asgd: 1,
  "nt-asgd": 1,
  adagrad: 0.01,
  rmsprop: 0.002,
  adam: 0.002,
  adamw: 0.002,
} as const;

function learningRateOf({ optimizer, learningRate = defaultRates[optimizer] }: ResolvedOptions): number {
  return learningRate;
}

function makeOptimizer(network: LanguageModelNetwork, options: ResolvedOptions) {
  const parameters = network.namedParameters();
  const settings = { learningRate: learningRateOf(options), weightDecay: options.weightDecay };
  switch (options.optimizer) {
    case "sgd":
    case "asgd":
    case "nt-asgd":
      return new SGD(parameters, settings);
    case "adagrad":
      return new Adagrad(parameters, settings);
    case "rmsprop":
      return new RMSProp(parameters, settings);
    case "adam":
      return new Adam(parameters, settings);
    case "adamw":
      return new AdamW(parameters, settings);
  }
}

function makeSchedule(options: ResolvedOptions, updatesPerEpoch: number): Schedule {
  const learningRate = learningRateOf(options);
  const totalSteps = Math.min(updatesPerEpoch * options.epochs, options.maxSteps ?? Number.POSITIVE_INFINITY);
  const {
    decay: factor = 0.5,
    decayAfter: after = 1,
    warmup: warmupSteps = 0,
    minImprovement = 1.003,
  } = options;
  switch (options.schedule) {
    case "constant":
      return constantSchedule(learningRate);
    case "step":
      return stepSchedule(learningRate, { factor, after });
    case "plateau":
      return plateauSchedule(learningRate, { factor });
    case "halving":
      return halvingSchedule(learningRate, { factor, minImprovement });
    case "cosine":
      return cosineSchedule(learningRate, { totalSteps, warmupSteps });
  }
}
