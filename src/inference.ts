/** `unrolled/inference`: models that are trained already, without what trains them. */
export { ready, setThreads, threads } from "./engine/index.ts";
export * from "./errors.ts";
export type { ModelFiles, ModelSource } from "./io/index.ts";
export type {
  Alternative,
  ArpaOptions,
  AudioSource,
  DecodingOptions,
  ErrorCounts,
  EvaluateOptions,
  Evaluation,
  GenerateOptions,
  GenerationState,
  Heard,
  LanguageModelConfig,
  LoadOptions,
  NgramConfig,
  NgramOptions,
  Score,
  SpeechConfig,
  SpeechEvaluateOptions,
  SpeechEvaluation,
  SpeechSource,
  SpeechStream,
  SpeechStreamOptions,
  TextSource,
  TextStream,
  TranscribedWord,
  TranscribeOptions,
  Transcription,
  TranslateOptions,
  Translation,
  TranslationConfig,
  TranslationEvaluateOptions,
  TranslationEvaluation,
  TranslationSource,
  TuneOptions,
} from "./tasks/index.ts";
export { NgramModel } from "./tasks/index.ts";
export { LanguageModel } from "./tasks/language-model/model.ts";
export { SpeechRecognizer } from "./tasks/speech/model.ts";
export { Translator } from "./tasks/translation/model.ts";
