import { setThreads } from "../../engine/engine.ts";
import { createEmptyFolder, joinPath } from "../../io/files.ts";
import { modelFiles, writeModelFolder } from "../../io/model-folder.ts";
import { Adam } from "../../optim/adam.ts";
import { RMSProp } from "../../optim/rmsprop.ts";
import { SGD } from "../../optim/sgd.ts";
import { manualSeed } from "../../tensor/random.ts";
import { openLog } from "../../training/logs/open-log.ts";
import { type Checkpoints, Trainer } from "../../training/trainer.ts";
import { type MemoryBatch, MemoryBatches } from "./batches.ts";
import { makeConfig } from "./config.ts";
import { evaluateMemory } from "./evaluate.ts";
import { MemoryHessianFree } from "./hessian-free.ts";
import { countParameters, MemoryNetwork } from "./network.ts";
import { checkMemoryOptions, type MemoryEvent, type MemoryOptions, type ResolvedOptions } from "./options.ts";
import { problems } from "./problems.ts";

const optimizers = { sgd: SGD, rmsprop: RMSProp, adam: Adam };

/** Builds a network and trains it until it has solved the problem; what `MemoryModel.train` does. */
export async function trainMemory(given: MemoryOptions) {
  const options = checkMemoryOptions(given);
  const { problem, cell, nonlinearity, hiddenSize, numLayers, out, seed, signal, onProgress } = options;
  const { chrono, recurrentInit, omega, clip, clipValue, batchSize, length, maxSteps, validateEvery } =
    options;
  const { forgetGateBias = chrono === undefined ? 1 : undefined } = options;
  if (options.threads !== undefined) setThreads(options.threads);
  if (out !== undefined) await createEmptyFolder(out);
  manualSeed(seed);
  const shape = { problem, cell, ...(nonlinearity && { nonlinearity }), hiddenSize, numLayers };
  const config = makeConfig(shape, forTheRecord(options));
  const network = new MemoryNetwork(config.network, {
    forgetGateBias,
    chrono,
    recurrentInit,
    ...(omega !== undefined && { omega }),
  });
  if (out !== undefined) await writeModelFolder(out, { config });
  const record = { ...config.training, parameters: countParameters(config.network) };
  const log = await openLog("memory", options, record);

  const { optimizer: name, learningRate } = options;
  const hessianFree = name === "hessian-free" ? new MemoryHessianFree(network, options) : undefined;
  const { goal, measure } = problems[problem];
  let wrong = 1;
  let solved = false;
  const trainer = new Trainer<MemoryBatch, never>({
    model: network,
    batches: new MemoryBatches(problems[problem], {
      purpose: "training",
      batchSize,
      length,
      count: validateEvery,
      seed,
    }),
    loss(batch) {
      const { inputs, targets } = batch;
      hessianFree?.see(batch);
      const [T, N] = inputs.shape as [number, number, number];
      return { loss: network.loss(network.forward(inputs), targets), tokens: T * N };
    },
    optimizer:
      hessianFree ??
      new optimizers[name as keyof typeof optimizers](network.namedParameters(), { learningRate }),
    epochs: Math.ceil(maxSteps / validateEvery),
    maxSteps,
    ...(clip !== undefined && { clip }),
    ...(clipValue !== undefined && { clipValue }),
    async validate(aborted) {
      const purpose = "validation";
      const found = await evaluateMemory(network, options.validSequences, { purpose, length, seed }, aborted);
      if (!found) return undefined;
      wrong = found.wrong;
      return measure === "wrong" ? found.wrong : found.loss;
    },
    goal,
    ...(options.logEvery !== undefined && { logEvery: options.logEvery }),
    ...(out !== undefined && { checkpoints: bestWeightsIn(out) }),
  });
  for await (const told of trainer.run(signal)) {
    const event: MemoryEvent =
      told.type === "validation"
        ? { ...told, wrong }
        : told.type === "done"
          ? { ...told, solved }
          : (told as MemoryEvent);
    if (told.type === "validation") solved = told.loss <= goal;
    await log?.write(event);
    onProgress?.(event);
  }
  network.eval();
  return { network, config };
}

/** The options as config.json keeps them. */
function forTheRecord(options: ResolvedOptions): Record<string, unknown> {
  const { onProgress: _, signal: __, out: ___, logEvery: ____, ...record } = options;
  return record;
}

/** Trainings are short: the best weights are kept, and nothing to go on from. */
function bestWeightsIn(folder: string): Checkpoints {
  return {
    saveLast: async () => "",
    async saveBest(weights) {
      await writeModelFolder(folder, { weights });
      return joinPath(folder, modelFiles.weights);
    },
  };
}
