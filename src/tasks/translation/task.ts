import { ready } from "../../engine/engine.ts";
import { Translator as TrainedTranslator } from "./model.ts";
import type { TranslationOptions, TranslationSource } from "./options.ts";
import { trainTranslation } from "./train.ts";

/**
 * Translation by an encoder and a decoder (Sutskever et al. 2014), with attention (Bahdanau et al. 2015, Luong et al. 2015)
 * or without.
 *
 *     const translator = await Translator.train({ source: "train.de", target: "train.en" }, { out: "models/de-en" });
 *     console.log((await translator.translate("Ein Hund läuft.", { beam: 5 })).text);
 *     console.log((await translator.evaluate({ source: "test.de", target: "test.en" })).bleu.score);
 */
export class Translator extends TrainedTranslator {
  /** Trains on two files whose lines belong together, or on two arrays. The model has the weights that validated best. */
  static async train(source: TranslationSource, options: TranslationOptions = {}): Promise<Translator> {
    await ready();
    return new Translator(await trainTranslation(source, options));
  }
}
