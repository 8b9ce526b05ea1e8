export type { AlignmentMeasures } from "./alignment/evaluate.ts";
export type { AlignmentEvent, AlignmentOptions } from "./alignment/options.ts";
export {
  type Alignment,
  type AlignmentEvaluateOptions,
  type AlignmentEvaluation,
  type AlignOptions,
  ImageAligner,
} from "./alignment/task.ts";
export type { Caption, CaptionAlternative, CaptionAttention, CaptionOptions } from "./captioning/caption.ts";
export type { CaptioningConfig } from "./captioning/config.ts";
export type { CaptioningEvaluateOptions, CaptioningEvaluation } from "./captioning/evaluate.ts";
export type { CaptioningEvent } from "./captioning/events.ts";
export type { ImageInput, Picture } from "./captioning/inputs.ts";
export type { CaptioningOptions, CaptioningSource } from "./captioning/options.ts";
export { ImageCaptioner } from "./captioning/task.ts";
export type { LanguageModelConfig } from "./language-model/config.ts";
export type { EvaluateOptions, Evaluation } from "./language-model/evaluate.ts";
export type { LanguageModelEvent } from "./language-model/events.ts";
export type { GenerateOptions, GenerationState, TextStream } from "./language-model/generate.ts";
export type { LoadOptions } from "./language-model/load.ts";
export type { Score } from "./language-model/model.ts";
export type { LanguageModelOptions, TextSource } from "./language-model/options.ts";
export { LanguageModel } from "./language-model/task.ts";
export { loadTextModel, type TextModel } from "./load-model.ts";
export type { MemoryConfig } from "./memory/config.ts";
export type { MemoryEvaluation } from "./memory/evaluate.ts";
export type { MemoryEvent, MemoryOptions } from "./memory/options.ts";
export { type MemoryEvaluateOptions, type MemoryGradientOptions, MemoryModel } from "./memory/task.ts";
export {
  type InterpolateOptions,
  type Interpolation,
  interpolate,
  type MixtureEvaluation,
} from "./mixture/interpolate.ts";
export { type Hypothesis, type Rescored, type RescoreOptions, rescore } from "./mixture/rescore.ts";
export type { NgramConfig } from "./ngram-model/config.ts";
export type { ArpaOptions } from "./ngram-model/load.ts";
export { NgramModel } from "./ngram-model/model.ts";
export type { NgramOptions } from "./ngram-model/options.ts";
export type { AudioSource } from "./speech/audio.ts";
export type { SpeechConfig } from "./speech/config.ts";
export type { DecodingOptions } from "./speech/decoder.ts";
export type { ErrorCounts, SpeechEvaluateOptions, SpeechEvaluation, TuneOptions } from "./speech/evaluate.ts";
export type { SpeechEvent } from "./speech/events.ts";
export type { SpeechOptions } from "./speech/options.ts";
export type { Heard, SpeechStream, SpeechStreamOptions } from "./speech/stream.ts";
export { SpeechRecognizer } from "./speech/task.ts";
export type { TranscribedWord, TranscribeOptions, Transcription } from "./speech/transcribe.ts";
export type { SpeechSource } from "./speech/utterances.ts";
export type { TranslationConfig } from "./translation/config.ts";
export type { TranslationEvaluateOptions, TranslationEvaluation } from "./translation/evaluate.ts";
export type { TranslationEvent } from "./translation/events.ts";
export type { TranslationOptions, TranslationSource } from "./translation/options.ts";
export { Translator } from "./translation/task.ts";
export type { Alternative, TranslateOptions, Translation } from "./translation/translate.ts";
