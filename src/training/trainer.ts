import { Profiler } from "../autograd/profile.ts";
import { step } from "../autograd/step.ts";
import type { Batches } from "../data/batches.ts";
import { NumericError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { add, mul } from "../ops/binary.ts";
import { clipGradNorm, clipGradValue } from "../optim/clip.ts";
import type { Optimizer, OptimizerOptions } from "../optim/optimizer.ts";
import type { Schedule } from "../optim/schedule.ts";
import { randomState } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Asgd, averagedSince, MovingAverage } from "./average.ts";
import type { DoneEvent, StepEvent, TrainingEvent } from "./events.ts";
import { gradientError, lossError } from "./finite.ts";
import { gradientNorms, parameterNorm, parameterNorms } from "./norms.ts";
import { eventLoopTurns } from "./pause.ts";
import { Report, type Update } from "./report.ts";
import { PREFIX, type Progress, type TrainingState, under } from "./state.ts";
import { isName, isTensor, mapTree, type Tree } from "./tree.ts";

/** What a batch comes to. */
export interface BatchLoss<Carried> {
  /** The mean to be minimised. */
  loss: Tensor;
  /** How many tokens it is the mean of. */
  tokens: number;
  /** What is minimised besides, and no part of the loss that is told. */
  penalty?: Tensor;
  /** The state to go on from in the next batch of the epoch; gradients do not flow back through it. */
  state?: Carried;
}

/** Where checkpoints go; each method gives the path, for the events. */
export interface Checkpoints {
  /** All it takes to go on, and the best weights so far if there are any. */
  saveLast(state: TrainingState, best: ReadonlyMap<string, Tensor> | undefined): Promise<string>;
  /** The weights that the model shall have; after `saveLast`, so that they can be had from there too. */
  saveBest(weights: ReadonlyMap<string, Tensor>): Promise<string>;
}

export interface TrainerOptions<Batch, Carried extends Tree<Tensor>> {
  model: Module;
  batches: Batches<Batch>;
  /** The loss of a batch, computed inside a step. `state` is undefined at the start of an epoch. */
  loss(batch: Batch, state: Carried | undefined): BatchLoss<Carried>;
  optimizer: Pick<Optimizer<OptimizerOptions>, "learningRate" | "step" | "stateDict" | "loadStateDict">;
  epochs: number;
  /** The most updates. Default: as many as the epochs have. */
  maxSteps?: number;
  schedule?: Schedule;
  /** Scales gradients down to this norm. Default: not at all. */
  clip?: number;
  /** Cuts each element of the gradients, scaled or not, to ± this. Default: not at all. */
  clipValue?: number;
  /** Batches whose gradients are averaged for one update. Default 1. */
  accumulate?: number;
  /** The loss on held-out data, lower is better; undefined if it was aborted. */
  validate?(signal: AbortSignal | undefined): Promise<number | undefined>;
  /** Updates between validations. Default: after each epoch. */
  validateEvery?: number;
  /** Validate before the first update too: what is there already may be the best there will be. Default false. */
  validateFirst?: boolean;
  /** Stop after this many validations that brought nothing better. Default: never. */
  patience?: number;
  /** Stop once a validation's loss is no more than this. Default: never. */
  goal?: number;
  /** Updates between step events. Default: two events a second. */
  logEvery?: number;
  /** Whether step events hold the norms of each parameter. Default false. */
  norms?: boolean;
  /** Whether the done event tells what each op cost in the updates after the first. Default false. */
  profile?: boolean;
  /** What the model, as it is validated, writes or says of an example after each so many validations. */
  samples?: { every: number; write(): string };
  checkpoints?: Checkpoints;
  /** Keep a moving average of the weights with this decay; it is what is validated and saved as the best. */
  ema?: number;
  /** The same of the mean of the weights, once there is one; in place of `ema`. */
  asgd?: Asgd;
  /** Updates between checkpoints besides those that each validation makes. Default: no others. */
  checkpointEvery?: number;
}

/** A loss this many times as large as at the start is no loss to go on from. */
const EXPLOSION = 3;

/**
 * Trains a model: truncated back-propagation through time with the state carried from batch to batch, validation, early
 * stopping, checkpoints of the best and the last weights. In the end the model has its best weights.
 *
 *     for await (const event of new Trainer({ … }).run()) console.log(event);
 */
export class Trainer<Batch, Carried extends Tree<Tensor>> {
  readonly #options: TrainerOptions<Batch, Carried>;
  readonly #parameters: Tensor[];
  #progress: Progress = {
    epoch: 0,
    batch: 0,
    step: 0,
    tokens: 0,
    seconds: 0,
    updateSeconds: 0,
    firstLoss: 0,
    meanLoss: 0,
    best: undefined,
    stale: 0,
    validated: 0,
    validations: [],
  };
  #schedule: Schedule["initial"];
  #carried: Carried | undefined;
  #bestWeights: Map<string, Tensor> | undefined;
  readonly #average: MovingAverage | undefined;
  #profiler: Profiler | undefined;
  /** Whether checkpoints have it all. */
  #saved = false;
  #started = performance.now();

  constructor(options: TrainerOptions<Batch, Carried>) {
    this.#options = options;
    this.#parameters = options.model.parameters();
    this.#schedule = options.schedule?.initial ?? {};
    const averaging = options.ema ?? options.asgd;
    if (averaging !== undefined) this.#average = new MovingAverage(options.model, averaging);
  }

  /** Trains to the end, or until the signal: then it saves, says so and returns, as early stopping does. */
  async *run(signal?: AbortSignal): AsyncGenerator<TrainingEvent, void, void> {
    const report = new Report(this.#options.logEvery);
    const pause = eventLoopTurns();
    this.#started = performance.now() - 1000 * this.#progress.seconds;
    while (!signal?.aborted) {
      // Validation comes first, since a state may have been saved between an update and the validation after it.
      if (this.#validationDue()) yield* this.#validate(report, signal);
      else if (this.#ended()) break;
      else {
        const update = this.#profiler?.run(() => this.#update()) ?? this.#update();
        // Not before: the first update compiles the kernels.
        if (this.#options.profile) this.#profiler ??= new Profiler();
        report.add(update);
        if (report.due(this.#progress.step)) yield this.#stepEvent(report);
        if (this.#checkpointDue()) yield* this.#saveLast();
      }
      await pause();
    }
    if (signal?.aborted && !this.#saved) yield* this.#saveLast();
    if (!this.#bestWeights) yield* this.#saveBest();
    this.#options.model.loadStateDict(this.#bestWeights!);
    yield this.#doneEvent(signal);
  }

  /** One change of the weights, by the gradient of `accumulate` batches. */
  #update(): Update {
    const started = performance.now();
    const { model, batches, optimizer, schedule, clip = Number.POSITIVE_INFINITY, clipValue } = this.#options;
    const progress = this.#progress;
    const where = `training: step ${progress.step + 1}, epoch ${progress.epoch + 1}`;
    const count = Math.min(this.#options.accumulate ?? 1, batches.length - progress.batch);
    let loss = 0;
    let tokens = 0;
    if (schedule) optimizer.learningRate = schedule.learningRate(progress, this.#schedule);
    model.train();
    for (let i = 0; i < count; i++) {
      const batch = this.#backward(batches.at(progress.epoch, progress.batch + i), 1 / count, where);
      loss += batch.loss * batch.tokens;
      tokens += batch.tokens;
    }
    loss /= tokens;
    this.#checkExplosion(loss, where);
    const gradNorms = this.#options.norms ? gradientNorms(model) : undefined;
    const gradNorm = clipGradNorm(this.#parameters, clip);
    if (!Number.isFinite(gradNorm)) throw gradientError(where, gradNorm, model);
    if (clipValue !== undefined) clipGradValue(this.#parameters, clipValue);
    optimizer.step();

    this.#saved = false;
    progress.step++;
    if (this.#averaged > 0) this.#average?.update(this.#averaged);
    progress.tokens += tokens;
    progress.batch += count;
    if (progress.batch >= batches.length) {
      progress.batch = 0;
      progress.epoch++;
      this.#carried = undefined;
    }
    const seconds = (performance.now() - started) / 1000;
    progress.updateSeconds += seconds;
    return { loss, tokens, seconds, gradNorm, gradNorms, learningRate: optimizer.learningRate };
  }

  #backward(batch: Batch, share: number, where: string): { loss: number; tokens: number } {
    const kept = step(() => {
      const { loss, penalty, tokens, state } = this.#options.loss(batch, this.#carried);
      const value = loss.item();
      if (!Number.isFinite(value)) throw lossError(where, value, this.#options.model);
      const total = penalty ? add(loss, penalty) : loss;
      (share === 1 ? total : mul(total, share)).backward();
      return { loss: value, tokens, state };
    });
    this.#carried = kept.state;
    return kept;
  }

  #checkExplosion(loss: number, where: string): void {
    const progress = this.#progress;
    if (progress.step === 0) progress.firstLoss = progress.meanLoss = loss;
    progress.meanLoss += 0.1 * (loss - progress.meanLoss);
    if (progress.meanLoss <= EXPLOSION * Math.max(progress.firstLoss, 1)) return;
    throw new NumericError(
      `${where}: loss is exploding: ${progress.meanLoss.toFixed(2)} on average, it began at ${progress.firstLoss.toFixed(2)}`,
      { hint: "lower the learning rate, or clip gradients at a smaller norm" },
    );
  }

  #finished(): boolean {
    const { epochs, maxSteps = Number.POSITIVE_INFINITY } = this.#options;
    return this.#progress.epoch >= epochs || this.#progress.step >= maxSteps;
  }

  #ended(): boolean {
    const { patience = Number.POSITIVE_INFINITY, goal = Number.NEGATIVE_INFINITY, schedule } = this.#options;
    if (schedule?.ended?.(this.#schedule)) return true;
    const { stale, best } = this.#progress;
    return this.#finished() || stale >= patience || (best?.loss ?? Number.POSITIVE_INFINITY) <= goal;
  }

  #validationDue(): boolean {
    const { validate, validateEvery, validateFirst } = this.#options;
    const { step, batch, validated, validations } = this.#progress;
    if (step === 0) return validateFirst === true && validate !== undefined && validations.length === 0;
    if (step === validated) return false;
    if (this.#finished()) return true;
    return validateEvery === undefined ? batch === 0 : step % validateEvery === 0;
  }

  #checkpointDue(): boolean {
    const { checkpointEvery } = this.#options;
    return (
      checkpointEvery !== undefined && this.#progress.step % checkpointEvery === 0 && !this.#validationDue()
    );
  }

  async *#validate(report: Report, signal: AbortSignal | undefined): AsyncGenerator<TrainingEvent> {
    const { validate, schedule } = this.#options;
    const progress = this.#progress;
    if (!report.empty) yield this.#stepEvent(report);
    // The epoch that ends here, or the one that runs.
    const epoch = progress.batch === 0 ? progress.epoch : progress.epoch + 1;
    let best = true;
    if (validate) {
      this.#options.model.eval();
      const loss = await this.#withAverage(() => validate(signal));
      if (loss === undefined) return;
      if (!Number.isFinite(loss)) {
        throw new NumericError(`training: step ${progress.step}: validation loss is ${loss}`);
      }
      best = loss < (progress.best?.loss ?? Number.POSITIVE_INFINITY);
      if (schedule) this.#schedule = schedule.validated(this.#schedule, loss);
      progress.stale = best ? 0 : progress.stale + 1;
      if (best) progress.best = { loss, epoch, step: progress.step };
      progress.validations = [...progress.validations, { epoch, step: progress.step, loss }];
      yield { type: "validation", step: progress.step, epoch, loss, best };
      const { samples } = this.#options;
      if (samples && progress.validations.length % samples.every === 0) {
        const text = await this.#withAverage(samples.write);
        yield { type: "sample", step: progress.step, epoch, text };
      }
    }
    progress.validated = progress.step;
    if (!best && schedule?.returns) this.#options.model.loadStateDict(this.#bestWeights!);
    if (best) this.#bestWeights = await this.#withAverage(() => this.#options.model.stateDict());
    yield* this.#saveLast();
    if (best) yield* this.#saveBest();
  }

  /** Updates whose weights are averaged. */
  get #averaged(): number {
    const { asgd } = this.#options;
    const { step, validations } = this.#progress;
    return asgd ? step - (averagedSince(asgd, validations) ?? step) : step;
  }

  /** Runs f with the averaged weights, if there are any. */
  async #withAverage<T>(f: () => T | Promise<T>): Promise<T> {
    return this.#average && this.#averaged > 0 ? this.#average.during(f) : f();
  }

  async *#saveBest(): AsyncGenerator<TrainingEvent> {
    this.#bestWeights ??= await this.#withAverage(() => this.#options.model.stateDict());
    const path = await this.#options.checkpoints?.saveBest(this.#bestWeights);
    if (path) yield { type: "checkpoint", step: this.#progress.step, kind: "best", path };
  }

  async *#saveLast(): AsyncGenerator<TrainingEvent> {
    const path = await this.#options.checkpoints?.saveLast(this.state(), this.#bestWeights);
    this.#saved = true;
    if (path) yield { type: "checkpoint", step: this.#progress.step, kind: "last", path };
  }

  /** Since the training began, interruptions left out. */
  get #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  #stepEvent(report: Report): StepEvent {
    const { epochs, batches, model, maxSteps = Number.POSITIVE_INFINITY } = this.#options;
    const { epoch, batch, step, tokens } = this.#progress;
    const { gradNorms, ...measured } = report.take();
    const seconds = this.#seconds;
    const progress = Math.max((epoch + batch / batches.length) / epochs, step / maxSteps);
    return {
      type: "step",
      step,
      epoch: batch === 0 ? epoch : epoch + 1,
      epochs,
      ...measured,
      parameterNorm: parameterNorm(this.#parameters),
      ...(gradNorms && { norms: parameterNorms(model, gradNorms) }),
      tokens,
      seconds,
      progress,
      secondsLeft: (seconds * (1 - progress)) / progress,
    };
  }

  #doneEvent(signal: AbortSignal | undefined): DoneEvent {
    const { epoch, step, tokens, updateSeconds, best } = this.#progress;
    const finished = this.#finished();
    return {
      type: "done",
      reason: finished ? "finished" : signal?.aborted ? "aborted" : "early-stopping",
      step,
      epoch,
      ...(best && { validLoss: best.loss }),
      tokens,
      tokensPerSecond: updateSeconds > 0 ? tokens / updateSeconds : 0,
      seconds: this.#seconds,
      ...(this.#profiler && { profile: this.#profiler.result() }),
    };
  }

  /** Everything needed to go on from here in another process. */
  state(): TrainingState {
    const tensors = new Map<string, Tensor>();
    for (const [name, t] of this.#options.model.stateDict()) tensors.set(PREFIX.model + name, t);
    for (const [name, t] of this.#options.optimizer.stateDict()) tensors.set(PREFIX.optimizer + name, t);
    for (const [name, t] of this.#average?.stateDict() ?? []) tensors.set(PREFIX.average + name, t);
    let count = 0;
    const carried = mapTree<Tensor, string>(this.#carried, isTensor, (t) => {
      const name = `${PREFIX.carried}${count++}`;
      tensors.set(name, t);
      return name;
    });
    return {
      tensors,
      progress: { ...this.#progress, seconds: this.#seconds },
      random: { seed: randomState.seed, step: randomState.step },
      schedule: this.#schedule,
      carried,
    };
  }

  /** Takes up where the trainer that gave `state` was; `best` are the best weights it had. */
  restore(state: TrainingState, best?: ReadonlyMap<string, Tensor>): void {
    const { model, optimizer } = this.#options;
    model.loadStateDict(under(PREFIX.model, state.tensors));
    optimizer.loadStateDict(under(PREFIX.optimizer, state.tensors));
    this.#average?.loadStateDict(under(PREFIX.average, state.tensors));
    this.#carried = mapTree(state.carried, isName, (name) => state.tensors.get(name)!) as Carried | undefined;
    this.#schedule = state.schedule as Schedule["initial"];
    this.#progress = { ...state.progress };
    this.#bestWeights = best && new Map(best);
    this.#saved = true;
    randomState.seed = state.random.seed;
    randomState.step = state.random.step;
  }
}
