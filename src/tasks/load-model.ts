import { LanguageModel } from "./language-model/task.ts";
import { NgramModel } from "./ngram-model/model.ts";
import { taskOf } from "./task-of.ts";

/** A model of texts: it can `evaluate`, `score` and `generate`. */
export type TextModel = LanguageModel | NgramModel;

/** The model in a folder, whichever its config.json says it is; or that of a file `*.arpa`. */
export async function loadTextModel(path: string): Promise<TextModel> {
  return (await taskOf(path)) === "ngram" ? NgramModel.load(path) : LanguageModel.load(path);
}
