import { ready } from "../../engine/engine.ts";
import { averageLanguageModels } from "./average.ts";
import { LanguageModel as TrainedLanguageModel } from "./model.ts";
import type { LanguageModelOptions, TextSource } from "./options.ts";
import { trainLanguageModel } from "./train.ts";

/**
 * A recurrent language model: predicts each character, byte or word of a text from all those before.
 *
 *     const lm = await LanguageModel.train("book.txt", { unit: "char", cell: "lstm", hiddenSize: 256 });
 *     console.log(lm.generate("The ship ", { maxTokens: 400, temperature: 0.8, seed: 7 }));
 *     console.log(lm.score("The whale was white.").perplexity);
 *     await lm.save("models/book");
 */
export class LanguageModel extends TrainedLanguageModel {
  /** Trains a model on a text file (its path) or on `{ text }`. The model has the weights that validated best. */
  static async train(source: TextSource, options: LanguageModelOptions = {}): Promise<LanguageModel> {
    await ready();
    return new LanguageModel(await trainLanguageModel(source, options));
  }

  /** A model whose weights are the mean of those of several models of one architecture and one vocabulary. */
  static average(models: readonly TrainedLanguageModel[]): LanguageModel {
    return new LanguageModel(averageLanguageModels(models));
  }
}
