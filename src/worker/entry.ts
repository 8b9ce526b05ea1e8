/** What runs in the worker: one model, and the streams of text that it is writing. */
import { nodeModule } from "../engine/features.ts";
import { UsageError } from "../errors.ts";
import type { TextStream } from "../tasks/language-model/generate.ts";
import { LanguageModel } from "../tasks/language-model/task.ts";
import type { Reply, Request } from "./messages.ts";
import { serve } from "./serve.ts";

let model: LanguageModel | undefined;
const streams = new Map<number, { stream: TextStream; pieces: Iterator<string> }>();
let count = 0;

function theModel(): LanguageModel {
  if (!model) throw new UsageError("worker: has no model");
  return model;
}

const languageModel = {
  async train(...args: Parameters<typeof LanguageModel.train>) {
    model = await LanguageModel.train(...args);
    return model.config;
  },
  async load(...args: Parameters<typeof LanguageModel.load>) {
    model = await LanguageModel.load(...args);
    return model.config;
  },
  evaluate: (...args: Parameters<LanguageModel["evaluate"]>) => theModel().evaluate(...args),
  score: (...args: Parameters<LanguageModel["score"]>) => theModel().score(...args),
  async generate(...args: Parameters<LanguageModel["generate"]>) {
    let text = "";
    for await (const piece of theModel().generateStream(...args)) text += piece;
    return text;
  },
  save: (...args: Parameters<LanguageModel["save"]>) => theModel().save(...args),
  files: () => theModel().files(),
  open(...args: Parameters<LanguageModel["generateStream"]>) {
    const stream = theModel().generateStream(...args);
    streams.set(count, { stream, pieces: stream[Symbol.iterator]() });
    return count++;
  },
  next: (id: number) => streams.get(id)!.pieces.next(),
  state: (id: number) => streams.get(id)!.stream.state(),
  drop(id: number) {
    streams.delete(id);
  },
};

const threads = nodeModule<typeof import("node:worker_threads")>("node:worker_threads");
const port = threads?.parentPort;
const receive = serve(languageModel, (reply: Reply) => (port ? port.postMessage(reply) : postMessage(reply)));
if (port) port.on("message", receive);
else addEventListener("message", ({ data }: MessageEvent<Request>) => receive(data));
