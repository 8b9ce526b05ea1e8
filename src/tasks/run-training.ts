import type { Batches } from "../data/batches.ts";
import { setThreads } from "../engine/engine.ts";
import { writeModelFolder } from "../io/model-folder.ts";
import type { Module } from "../nn/module.ts";
import { Adam, AdamW } from "../optim/adam.ts";
import { RMSProp } from "../optim/rmsprop.ts";
import { SGD } from "../optim/sgd.ts";
import { manualSeed } from "../tensor/random.ts";
import { folderCheckpoints } from "../training/checkpoints.ts";
import { checkData, madeOf, resumeEvent } from "../training/continue.ts";
import type { TrainingEvent } from "../training/events.ts";
import { openLog } from "../training/logs/open-log.ts";
import type { LogFormatName, RunLog } from "../training/logs/run-log.ts";
import { type BatchLoss, type Checkpoints, Trainer } from "../training/trainer.ts";
import { type Start, scheduleOf } from "./start.ts";

/** Options of a run, as they are checked. */
export interface ResolvedRun {
  seed: number;
  threads?: number | undefined;
  epochs: number;
  maxSteps?: number | undefined;
  optimizer: keyof typeof optimizers;
  learningRate: number;
  weightDecay: number;
  schedule: "constant" | "plateau" | "cosine";
  decay?: number | undefined;
  warmup?: number | undefined;
  clip: number;
  accumulate?: number | undefined;
  validateEvery?: number | undefined;
  patience?: number | undefined;
  ema?: number | undefined;
  resume: boolean;
  checkpointEvery?: number | undefined;
  out?: string | undefined;
  logDir?: string | undefined;
  log?: readonly LogFormatName[] | undefined;
  logEvery?: number | undefined;
  onProgress?: ((event: never) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What a task brings to a training. */
export interface TaskTraining<Batch, Measures extends object> {
  task: string;
  /** What errors call the data, of what kind it is ("sentences"), and what tells it from other data. */
  data: { name: string; what: string; fingerprint(): string };
  /** The files that describe the model. */
  config: { training?: Readonly<Record<string, unknown>> | undefined };
  tokenizer?: unknown;
  network: Module;
  parameters: number;
  /** What there is to learn from, told before it begins. */
  corpus: { readonly type: "corpus" } & Readonly<Record<string, unknown>>;
  batches: Batches<Batch>;
  loss(batch: Batch): BatchLoss<never>;
  /** How the network does on what was held out, and which of it is to be the least; undefined once aborted. */
  validate?: (aborted: AbortSignal | undefined) => Promise<{ measures: Measures; least: number } | undefined>;
  /** Whether the network knows something already, which may be the best there will be. */
  validateFirst?: boolean;
}

const optimizers = { sgd: SGD, rmsprop: RMSProp, adam: Adam, adamw: AdamW };

/** Sets what the network's first weights, and how fast it computes, depend on: before it is made. */
export function beginRun({ seed, threads }: Pick<ResolvedRun, "seed" | "threads">): void {
  if (threads !== undefined) setThreads(threads);
  manualSeed(seed);
}

/** Checks the data, makes the folder and the log ready, and tells of a resume. */
export async function openRun(
  start: Omit<Start<RunFolders>, "close">,
  {
    task,
    data,
    config,
    tokenizer,
  }: Pick<TaskTraining<never, object>, "task" | "data" | "config" | "tokenizer">,
  described: Record<string, unknown>,
): Promise<{ checkpoints: Checkpoints | undefined; log: RunLog | undefined }> {
  const { options, folder, checkpoint } = start;
  let checkpoints: Checkpoints | undefined;
  if (folder !== undefined) {
    const made = madeOf(data.fingerprint());
    checkData(start, made.data, data.name, data.what);
    checkpoints = folderCheckpoints(folder, made, checkpoint?.number);
  }
  const resumed = options.resume ? resumeEvent(start) : undefined;
  const log = await openLog(task, options, described, resumed?.step);
  if (folder !== undefined) {
    await writeModelFolder(folder, { config, ...(tokenizer !== undefined && { tokenizer }) });
  }
  if (resumed) {
    await log?.write(resumed);
    (options.onProgress as ((event: object) => void) | undefined)?.(resumed);
  }
  return { checkpoints, log };
}

type RunFolders = Pick<
  ResolvedRun,
  "resume" | "out" | "logDir" | "log" | "epochs" | "maxSteps" | "patience" | "onProgress"
>;

/** Trains a task's network, from the beginning or on from a checkpoint, with its log; in the end it has its best weights. */
export async function runTraining<Batch, Measures extends object>(
  start: Start<ResolvedRun>,
  {
    task,
    data,
    config,
    tokenizer,
    network,
    parameters,
    corpus,
    batches,
    ...own
  }: TaskTraining<Batch, Measures>,
): Promise<void> {
  const { options, checkpoint } = start;
  const { epochs, clip, accumulate = 1, optimizer, learningRate, weightDecay, signal } = options;
  const { maxSteps, validateEvery, patience, ema, checkpointEvery, logEvery } = options;
  const tell = options.onProgress as ((event: object) => void) | undefined;
  const described = { data: data.name, ...config.training, parameters };
  const { checkpoints, log } = await openRun(start, { task, data, config, tokenizer }, described);
  tell?.(corpus);

  let measures: Measures | undefined;
  const { validate } = own;
  const trainer = new Trainer<Batch, never>({
    model: network,
    batches,
    loss: own.loss,
    optimizer: new optimizers[optimizer](network.namedParameters(), { learningRate, weightDecay }),
    schedule: scheduleOf(options, Math.ceil(batches.length / accumulate)),
    epochs,
    clip,
    accumulate,
    ...(validate && {
      async validate(aborted: AbortSignal | undefined) {
        const found = await validate(aborted);
        measures = found?.measures;
        return found?.least;
      },
    }),
    ...(own.validateFirst && { validateFirst: true }),
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
    const event: TrainingEvent = told.type === "validation" ? { ...told, ...measures } : told;
    await log?.write(event);
    tell?.(event);
  }
  network.eval();
}
