/** `unrolled/inference`: models that are trained already, without what trains them. */
export { ready, setThreads, threads } from "./engine/index.ts";
export * from "./errors.ts";
export type { ModelFiles, ModelSource } from "./io/index.ts";
export { ImageCaptioner } from "./tasks/captioning/model.ts";
export type {
  Alternative,
  ArpaOptions,
  AudioSource,
  Caption,
  CaptionAlternative,
  CaptionAttention,
  CaptioningConfig,
  CaptioningEvaluateOptions,
  CaptioningEvaluation,
  CaptioningSource,
  CaptionOptions,
  DecodingOptions,
  ErrorCounts,
  EvaluateOptions,
  Evaluation,
  GenerateOptions,
  GenerationState,
  Heard,
  ImageInput,
  LanguageModelConfig,
  LoadOptions,
  NgramConfig,
  NgramOptions,
  Picture,
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
