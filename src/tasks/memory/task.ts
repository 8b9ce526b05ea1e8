import * as v from "valibot";
import { ready } from "../../engine/engine.ts";
import type { Location } from "../../io/files.ts";
import { joinPath } from "../../io/files.ts";
import { modelFiles, readModelWithoutText, writeModelFolder } from "../../io/model-folder.ts";
import { type GradientNorms, gradientNorms } from "../../nn/recurrent/gradient-norms.ts";
import type { LSTM } from "../../nn/recurrent/lstm.ts";
import { checkOptions, functionOf, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import { loadWeights } from "../load-weights.ts";
import { MemoryBatches } from "./batches.ts";
import { type MemoryConfig, readConfig } from "./config.ts";
import { evaluateMemory, type MemoryEvaluation } from "./evaluate.ts";
import { countParameters, MemoryNetwork } from "./network.ts";
import { lengthSchema, lengthsOf, type MemoryOptions } from "./options.ts";
import { problems } from "./problems.ts";
import { trainMemory } from "./train.ts";

export interface MemoryEvaluateOptions {
  /** Fresh ones, of which no training has seen any. Default 10,000. */
  sequences?: number;
  /** Of the sequences. Default: those of the training. */
  length?: MemoryOptions["length"];
  /** Default 1. */
  seed?: number;
  onProgress?: (event: { sequences: number; of: number }) => void;
  /** Ends the evaluation with the signal's reason. */
  signal?: AbortSignal;
}

const evaluateSchema = recordOf({
  sequences: v.optional(wholeNumber(1, 2 ** 31 - 1), 10_000),
  length: v.optional(lengthSchema),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
  onProgress: v.optional(functionOf<NonNullable<MemoryEvaluateOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<MemoryEvaluateOptions>);

export interface MemoryGradientOptions {
  /** Of the sequences. Default 100, or what the problem needs. */
  length?: number;
  /** Sequences. Default 8. */
  samples?: number;
  /** Default 1. */
  seed?: number;
}

const gradientSchema = recordOf({
  length: v.optional(wholeNumber(1, 1_000_000)),
  samples: v.optional(wholeNumber(1, 1000), 8),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
} satisfies SchemasOf<MemoryGradientOptions>);

/**
 * A network that shows how long it remembers: trained on a problem whose answer depends on what stood at the beginning of
 * a long sequence (temporal order, addition, multiplication, copy, experiment 3c).
 *
 *     const lstm = await MemoryModel.train({ problem: "addition", length: 200, cell: "lstm" });
 *     console.log((await lstm.evaluate({ length: 400 })).wrong);
 */
export class MemoryModel {
  readonly network: MemoryNetwork;
  readonly config: MemoryConfig;

  private constructor({ network, config }: { network: MemoryNetwork; config: MemoryConfig }) {
    this.network = network.eval();
    this.config = config;
  }

  /** Trains until the problem is solved, or `maxSteps` are over. The model has the weights that validated best. */
  static async train(options: MemoryOptions): Promise<MemoryModel> {
    await ready();
    return new MemoryModel(await trainMemory(options));
  }

  /** Reads a model from the folder that `save` or a training's `out` wrote. */
  static async load(folder: Location): Promise<MemoryModel> {
    await ready();
    const { config: json, weights } = await readModelWithoutText(folder);
    const config = readConfig(json, String(joinPath(folder, modelFiles.config)));
    const file = String(joinPath(folder, modelFiles.weights));
    const network = loadWeights(weights, file, {
      parameters: countParameters(config.network),
      make: () => new MemoryNetwork(config.network),
    });
    return new MemoryModel({ network, config });
  }

  /** Writes config.json and model.safetensors; a model that is there already is replaced. */
  async save(folder: string): Promise<void> {
    await writeModelFolder(folder, { config: this.config, weights: this.network.stateDict() });
  }

  /** How well it answers sequences that it has not seen, also of other lengths than it was trained on. */
  async evaluate(options: MemoryEvaluateOptions = {}): Promise<MemoryEvaluation> {
    const where = "MemoryModel.evaluate";
    const { sequences, seed, signal, onProgress, length } = checkOptions(where, evaluateSchema, options);
    const of = { purpose: "evaluation", length: this.#lengths(where, length), seed } as const;
    const tell = (done: number) => onProgress?.({ sequences: done, of: sequences });
    const found = await evaluateMemory(this.network, sequences, of, signal, tell);
    signal?.throwIfAborted();
    return found!;
  }

  #lengths(where: string, given: MemoryOptions["length"]): readonly [number, number] {
    const trained = this.config.training?.length as MemoryOptions["length"];
    return lengthsOf(where, this.config.network.problem, given ?? trained);
  }

  /** How much the state after a sequence of the problem depends on that at each step before, see `gradientNorms`. */
  gradientNorms(options: MemoryGradientOptions = {}): GradientNorms[] {
    const where = "MemoryModel.gradientNorms";
    const { samples, seed, length = 100 } = checkOptions(where, gradientSchema, options);
    const { problem } = this.config.network;
    const T = lengthsOf(where, problem, length);
    const batches = new MemoryBatches(problems[problem], {
      purpose: "evaluation",
      batchSize: samples,
      length: T,
      count: 1,
      seed,
    });
    return gradientNorms(this.network.rnn as LSTM, batches.at(0, 0).inputs);
  }
}
