import { nodeModule } from "../engine/features.ts";
import { UsageError } from "../errors.ts";
import type { Location } from "../io/files.ts";
import type { ModelFiles, ModelSource } from "../io/model-folder.ts";
import type { LanguageModelConfig } from "../tasks/language-model/config.ts";
import type { EvaluateOptions, Evaluation } from "../tasks/language-model/evaluate.ts";
import type { GenerateOptions, GenerationState } from "../tasks/language-model/generate.ts";
import type { LoadOptions } from "../tasks/language-model/load.ts";
import type { Score } from "../tasks/language-model/model.ts";
import type { LanguageModelOptions, TextSource } from "../tasks/language-model/options.ts";
import { TaskWorker } from "./client.ts";

/** As `LanguageModelOptions`; a model to start from is named by its folder. */
export interface WorkerTrainingOptions extends Omit<LanguageModelOptions, "initFrom"> {
  initFrom?: string;
}

/**
 * A `LanguageModel` in a worker of its own: the same verbs, each with a promise, while a page stays responsive and a
 * server answers.
 *
 *     const lm = await LanguageModelWorker.train({ text }, { onProgress: ({ type }) => console.log(type) });
 *     for await (const piece of lm.generateStream("The ship ")) show(piece);
 *     lm.close();
 */
export class LanguageModelWorker {
  readonly config: LanguageModelConfig;
  readonly #worker: TaskWorker;

  /** @internal Use `LanguageModelWorker.train` or `LanguageModelWorker.load`. */
  constructor(worker: TaskWorker, config: LanguageModelConfig) {
    this.#worker = worker;
    this.config = config;
  }

  /** As `LanguageModel.train`. */
  static train(source: TextSource, options: WorkerTrainingOptions = {}): Promise<LanguageModelWorker> {
    const { valid, initFrom } = options;
    const settings = {
      ...options,
      ...(valid !== undefined && { valid: absolute(valid) }),
      ...(initFrom !== undefined && { initFrom: absolute(initFrom) }),
    };
    return LanguageModelWorker.#start("train", absolute(source), settings);
  }

  /** As `LanguageModel.load`. */
  static load(source: ModelSource, options: LoadOptions = {}): Promise<LanguageModelWorker> {
    return LanguageModelWorker.#start("load", absolute(source), options);
  }

  static async #start(...call: [verb: string, ...args: unknown[]]): Promise<LanguageModelWorker> {
    const worker = new TaskWorker();
    try {
      return new LanguageModelWorker(worker, await worker.call(...call));
    } catch (error) {
      await worker.close();
      throw error;
    }
  }

  /** As `LanguageModel.evaluate`. */
  evaluate(source: TextSource, options: EvaluateOptions = {}): Promise<Evaluation> {
    return this.#worker.call("evaluate", absolute(source), options);
  }

  /** As `LanguageModel.score`. */
  score(text: string): Promise<Score> {
    return this.#worker.call("score", text);
  }

  /** As `LanguageModel.generate`. */
  generate(prompt = "", options: GenerateOptions = {}): Promise<string> {
    return this.#worker.call("generate", prompt, options);
  }

  /** As `LanguageModel.generateStream`: `for await (const piece of lm.generateStream("The "))`. */
  generateStream(prompt = "", options: GenerateOptions = {}): WorkerTextStream {
    return new WorkerTextStream(this.#worker, prompt, options);
  }

  /** As `LanguageModel.save`. */
  save(folder: string): Promise<void> {
    return this.#worker.call("save", folder);
  }

  /** As `LanguageModel.files`. */
  files(): Promise<ModelFiles> {
    return this.#worker.call("files");
  }

  /** Ends the worker, whatever it is doing, and gives its memory back. */
  close(): Promise<void> {
    return this.#worker.close();
  }
}

/** Text that a worker writes piece by piece, as it is read. */
export class WorkerTextStream implements AsyncIterable<string> {
  readonly #worker: TaskWorker;
  readonly #signal: AbortSignal | undefined;
  readonly #id: Promise<number>;
  #state: GenerationState | undefined;

  /** @internal Use `LanguageModelWorker.generateStream`. */
  constructor(worker: TaskWorker, prompt: string, { signal, ...options }: GenerateOptions) {
    this.#worker = worker;
    this.#signal = signal;
    this.#id = worker.call("open", prompt, options);
    this.#id.catch(() => {}); // whoever reads hears of it
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    if (this.#state) throw new UsageError("generateStream: has been read already");
    this.#signal?.throwIfAborted();
    const id = await this.#id;
    try {
      for (;;) {
        const { done, value } = await this.#worker.call<IteratorResult<string, void>>("next", id);
        if (done) return;
        yield value;
        this.#signal?.throwIfAborted();
      }
    } finally {
      this.#state = await this.#worker.call<GenerationState>("state", id);
      await this.#worker.call("drop", id);
    }
  }

  /** Where the stream is, for `generate` to go on from. */
  async state(): Promise<GenerationState> {
    return this.#state ?? this.#worker.call("state", await this.#id);
  }
}

/** What a page means by a relative path is relative to the page; a worker would take it to be relative to itself. */
function absolute<T extends Location | object>(source: T): T | string {
  if (typeof source !== "string" || nodeModule("node:fs/promises")) return source;
  return new URL(source, document.baseURI).href;
}
