export type { LanguageModelConfig } from "./language-model/config.ts";
export type { Evaluation } from "./language-model/evaluate.ts";
export type { LanguageModelEvent } from "./language-model/events.ts";
export type { GenerateOptions } from "./language-model/generate.ts";
export type { LanguageModelOptions, TextSource } from "./language-model/options.ts";
export { LanguageModel, type Score } from "./language-model/task.ts";
