import { OptionError } from "../errors.ts";
import type { LoadOptions } from "./language-model/load.ts";
import { LanguageModel } from "./language-model/task.ts";
import { NgramModel } from "./ngram-model/model.ts";
import { taskOf } from "./task-of.ts";

/** A model of texts: it can `evaluate`, `score` and `generate`. */
export type TextModel = LanguageModel | NgramModel;

/** The model in a folder, whichever its config.json says it is; or that of a file `*.arpa`. */
export async function loadTextModel(path: string, options: LoadOptions = {}): Promise<TextModel> {
  if ((await taskOf(path)) !== "ngram") return LanguageModel.load(path, options);
  if (options.weights === "int8") {
    throw new OptionError(`int8 weights are for networks, and ${path} is an n-gram model`);
  }
  return NgramModel.load(path);
}
