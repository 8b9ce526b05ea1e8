import type { TuningResult } from "../../decoding/ctc/tuning.ts";
import { ready } from "../../engine/engine.ts";
import type { Location } from "../../io/files.ts";
import { writeModelFolder } from "../../io/model-folder.ts";
import { checkOptions } from "../../options.ts";
import type { Alphabet } from "./alphabet.ts";
import type { AudioSource } from "./audio.ts";
import type { SpeechConfig } from "./config.ts";
import { Decoder } from "./decoder.ts";
import type { SpeechEvaluateOptions, SpeechEvaluation, TuneOptions } from "./evaluate.ts";
import type { FrontEnd } from "./front-end.ts";
import { loadSpeech, type SpeechParts } from "./load.ts";
import type { SpeechNetwork } from "./network.ts";
import { SpeechStream, type SpeechStreamOptions, streamSchema } from "./stream.ts";
import {
  type TranscribeOptions,
  type Transcription,
  transcribeAudio,
  transcribeSchema,
} from "./transcribe.ts";
import type { SpeechSource } from "./utterances.ts";

/** A trained recogniser of speech. All of it but the training, which a page that only uses a model need not download. */
export class SpeechRecognizer {
  readonly network: SpeechNetwork;
  readonly config: SpeechConfig;
  /** @internal */
  readonly frontEnd: FrontEnd;
  /** @internal */
  readonly alphabet: Alphabet;

  /** @internal Use `SpeechRecognizer.load`. */
  constructor(parts: SpeechParts) {
    this.network = parts.network.eval();
    this.config = parts.config;
    this.frontEnd = parts.frontEnd;
    this.alphabet = parts.alphabet;
  }

  /** Reads a model from the folder that `save` or a training's `out` wrote: its path or, in a page, its URL. */
  static async load<M extends SpeechRecognizer>(
    this: new (
      parts: SpeechParts,
    ) => M,
    folder: Location,
  ): Promise<M> {
    await ready();
    return new this(await loadSpeech(folder));
  }

  /** Writes config.json and model.safetensors; a model that is there already is replaced. */
  async save(folder: string): Promise<void> {
    await writeModelFolder(folder, { config: this.config, weights: this.network.stateDict() });
  }

  /**
   * What was said in a recording of any length: its text, how likely that is, and its words with their times. By best path,
   * or by a beam search with a language model or lexicon. Silence is an empty text, and a note.
   */
  async transcribe(audio: AudioSource, options: TranscribeOptions = {}): Promise<Transcription> {
    const where = "SpeechRecognizer.transcribe";
    const checked = checkOptions(where, transcribeSchema, options);
    const { alternatives, beam = alternatives > 0 ? Math.max(50, alternatives + 1) : undefined } = checked;
    const decoder = await Decoder.open(where, this.alphabet, {
      ...checked,
      ...(beam !== undefined && { beam }),
    });
    return transcribeAudio(this, audio, decoder, checked);
  }

  /**
   * Listens: `push` samples as they come, `end` when there are no more, and each says what was heard so far. For a model
   * that reads forward only (`bidirectional: false`) and is normalised globally. `sampleRate` is the model's if left out.
   */
  async stream(options: SpeechStreamOptions = {}): Promise<SpeechStream> {
    const where = "SpeechRecognizer.stream";
    const { sampleRate = this.config.frontEnd.sampleRate, ...decoding } = checkOptions(
      where,
      streamSchema,
      options,
    );
    return new SpeechStream(this, await Decoder.open(where, this.alphabet, decoding), sampleRate);
  }

  /** How many words and characters of a manifest or data set are wrong; of a data set whose layout is known, its test part. */
  async evaluate(source: SpeechSource, options: SpeechEvaluateOptions = {}): Promise<SpeechEvaluation> {
    // Loaded when it is needed: a page that transcribes need not know how data sets are laid out.
    const { evaluateSchema, evaluateSpeech } = await import("./evaluate.ts");
    return evaluateSpeech(this, source, checkOptions("SpeechRecognizer.evaluate", evaluateSchema, options));
  }

  /**
   * Word error rates on development data with each of some weights of a language model and insertion bonuses, the best
   * first: what to decode with.
   */
  async tune(source: SpeechSource, options: TuneOptions): Promise<TuningResult[]> {
    const { tuneSchema, tuneSpeech } = await import("./evaluate.ts");
    return tuneSpeech(this, source, checkOptions("SpeechRecognizer.tune", tuneSchema, options));
  }
}
