export type { LanguageModelConfig } from "./language-model/config.ts";
export type { EvaluateOptions, Evaluation } from "./language-model/evaluate.ts";
export type { LanguageModelEvent } from "./language-model/events.ts";
export type { GenerateOptions, GenerationState, TextStream } from "./language-model/generate.ts";
export type { Score } from "./language-model/model.ts";
export type { LanguageModelOptions, TextSource } from "./language-model/options.ts";
export { LanguageModel } from "./language-model/task.ts";
