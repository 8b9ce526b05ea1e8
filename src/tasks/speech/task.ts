import { ready } from "../../engine/engine.ts";
import { SpeechRecognizer as TrainedSpeechRecognizer } from "./model.ts";
import type { SpeechOptions } from "./options.ts";
import { trainSpeech } from "./train.ts";
import type { SpeechSource } from "./utterances.ts";

/**
 * Speech recognition from end to end (Graves and Jaitly 2014): deep bidirectional LSTMs over spectra, trained by
 * connectionist temporal classification, with no alignment and no pronunciations.
 *
 *     const recognizer = await SpeechRecognizer.train("train.jsonl", { valid: "valid.jsonl", out: "models/digits" });
 *     console.log((await recognizer.transcribe("a.wav")).text);
 *     console.log((await recognizer.evaluate("test.jsonl")).wer.rate);
 */
export class SpeechRecognizer extends TrainedSpeechRecognizer {
  /**
   * Trains on a manifest `*.jsonl` or `*.tsv`, a folder of recordings with texts, or the folder of a data set whose layout
   * is known (LibriSpeech, Common Voice, FSDD, AN4 and others of Sphinx, yesno). The model has the weights that validated best.
   */
  static async train(source: SpeechSource, options: SpeechOptions = {}): Promise<SpeechRecognizer> {
    await ready();
    return new SpeechRecognizer(await trainSpeech(source, options));
  }
}
