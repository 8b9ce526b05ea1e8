import { ready } from "../../engine/engine.ts";
import { DataError, OptionError } from "../../errors.ts";
import { type ModelSource, writeModelFolder } from "../../io/model-folder.ts";
import type { TranslationConfig } from "./config.ts";
import type { TranslationEvaluateOptions, TranslationEvaluation } from "./evaluate.ts";
import { type Languages, languagesToJSON } from "./languages.ts";
import { loadTranslation, type TranslationParts } from "./load.ts";
import type { TranslationNetwork } from "./network.ts";
import type { TranslationSource } from "./options.ts";
import type { ScoreOptions } from "./score.ts";
import { type TranslateOptions, type Translation, translateSentences } from "./translate.ts";

/** A trained translator. All of it but the training, which a page that only uses a model need not download. */
export class Translator {
  readonly network: TranslationNetwork;
  readonly config: TranslationConfig;
  /** @internal */
  readonly languages: Languages;
  /** @internal Of an ensemble, all of them; this one is the first. */
  readonly networks: readonly TranslationNetwork[];

  /** @internal Use `Translator.load`. */
  constructor(parts: TranslationParts, others: readonly TranslationParts[] = []) {
    this.network = parts.network.eval();
    this.config = parts.config;
    this.languages = parts.languages;
    this.networks = [this.network, ...others.map(({ network }) => network.eval())];
  }

  /**
   * Reads a model from the folder that `save` or a training's `out` wrote: its path or, in a page, its URL. Several are an
   * ensemble, whose probabilities are averaged; their tokens must be the same.
   */
  static async load<M extends Translator>(
    this: new (
      parts: TranslationParts,
      others?: readonly TranslationParts[],
    ) => M,
    ...folders: readonly [ModelSource, ...ModelSource[]]
  ): Promise<M> {
    await ready();
    const [first, ...others] = await Promise.all(folders.map(loadTranslation));
    const tokens = JSON.stringify(languagesToJSON(first!.languages));
    for (const [i, { languages, config }] of others.entries()) {
      if (
        JSON.stringify(languagesToJSON(languages)) === tokens &&
        config.reverseSource === first!.config.reverseSource
      ) {
        continue;
      }
      throw new OptionError(
        `Translator.load: the models of an ensemble must have the same tokens, and ${String(folders[i + 1])} has others than ${String(folders[0])}`,
        { hint: "train them on the same sentences with the same options, each with another seed" },
      );
    }
    return new this(first!, others);
  }

  /** Writes config.json, tokenizer.json and model.safetensors; a model that is there already is replaced. */
  async save(folder: string): Promise<void> {
    await writeModelFolder(folder, {
      config: this.config,
      tokenizer: languagesToJSON(this.languages),
      weights: this.network.stateDict(),
    });
  }

  /** A sentence in the other language, or several, in order. A blank one stays blank. */
  translate(sentence: string, options?: TranslateOptions): Promise<Translation>;
  translate(sentences: readonly string[], options?: TranslateOptions): Promise<Translation[]>;
  async translate(
    given: string | readonly string[],
    options: TranslateOptions = {},
  ): Promise<Translation | Translation[]> {
    const sentences = typeof given === "string" ? [given] : given;
    if (!Array.isArray(sentences) || sentences.some((sentence) => typeof sentence !== "string")) {
      throw new DataError("Translator.translate: needs a sentence or an array of sentences");
    }
    const found = await translateSentences(this, sentences, options);
    return typeof given === "string" ? found[0]! : found;
  }

  /** ln P of each target, its end included, given its source. Of a blank source NaN. */
  async score(
    sources: readonly string[],
    targets: readonly string[],
    options: ScoreOptions = {},
  ): Promise<Float64Array> {
    const { scorePairs } = await import("./score.ts");
    return scorePairs(this, sources, targets, options);
  }

  /** BLEU, chrF and TER of the translations of one side of a parallel text, by the other. */
  async evaluate(
    source: TranslationSource,
    options: TranslationEvaluateOptions = {},
  ): Promise<TranslationEvaluation> {
    // Loaded when it is needed: a page that translates need not know how translations are scored.
    const { evaluateTranslation } = await import("./evaluate.ts");
    return evaluateTranslation((sentences, given) => this.translate(sentences, given), source, options);
  }
}
