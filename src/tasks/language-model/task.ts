import { normalizeText } from "../../data/text/text.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { DataError } from "../../errors.ts";
import { writeModelFolder } from "../../io/model-folder.ts";
import { perplexity } from "../../metrics/perplexity.ts";
import type { LanguageModelConfig } from "./config.ts";
import { nameOf, readText } from "./data.ts";
import { type Evaluation, evaluateTokens, tokenLosses } from "./evaluate.ts";
import { checkGenerateOptions, continueText, type GenerateOptions } from "./generate.ts";
import { type LanguageModelParts, loadLanguageModel } from "./load.ts";
import type { LanguageModelNetwork } from "./network.ts";
import type { LanguageModelOptions, TextSource } from "./options.ts";
import { trainLanguageModel } from "./train.ts";

/** How likely a model finds a text. */
export interface Score {
  /** How many tokens were scored. */
  tokens: number;
  /** ln P of them all. */
  logProb: number;
  /** e^(−logProb / tokens) */
  perplexity: number;
}

/**
 * A recurrent language model: predicts each character, byte or word of a text from all those before.
 *
 *     const lm = await LanguageModel.train("book.txt", { unit: "char", cell: "lstm", hiddenSize: 256 });
 *     console.log(lm.generate("The ship ", { maxTokens: 400, temperature: 0.8, seed: 7 }));
 *     console.log(lm.score("The whale was white.").perplexity);
 *     await lm.save("models/book");
 */
export class LanguageModel {
  readonly network: LanguageModelNetwork;
  readonly tokenizer: Tokenizer;
  readonly config: LanguageModelConfig;

  /** @internal Use `LanguageModel.train` or `LanguageModel.load`. */
  constructor(parts: LanguageModelParts) {
    this.network = parts.network.eval();
    this.tokenizer = parts.tokenizer;
    this.config = parts.config;
  }

  /** Trains a model on a text file (its path) or on `{ text }`. The model has the weights that validated best. */
  static async train(source: TextSource, options: LanguageModelOptions = {}): Promise<LanguageModel> {
    return new LanguageModel(await trainLanguageModel(source, options));
  }

  /** Reads a model from the folder that `save` or a training's `out` wrote. */
  static async load(folder: string): Promise<LanguageModel> {
    return new LanguageModel(await loadLanguageModel(folder));
  }

  /** Writes config.json, tokenizer.json and model.safetensors; a model that is there already is replaced. */
  async save(folder: string): Promise<void> {
    const { config, tokenizer } = this;
    await writeModelFolder(folder, { config, tokenizer, weights: this.network.stateDict() });
  }

  /**
   * How well the model predicts a text: a file (its path) or `{ text }`. It is read as one stream from beginning to end,
   * each token but the first predicted from all those before it.
   */
  async evaluate(source: TextSource): Promise<Evaluation> {
    const name = nameOf(source);
    const tokens = this.tokenizer.encode(await readText(source), name);
    if (tokens.length < 2) {
      throw new DataError(`${name}: must have 2 tokens or more, got ${tokens.length}`);
    }
    return (await evaluateTokens(this.network, tokens))!;
  }

  /**
   * How likely a text is, as what follows a line break. (A vocabulary without one leaves the first token unscored.) It is
   * the same whether text and continuation are scored at once, or the product of what `generate` draws from.
   */
  score(text: string): Score {
    const tokens = this.#encode(text, "text");
    if (tokens.length < 2) throw new DataError("text: must have a token to score, got none");
    let logProb = 0;
    for (const losses of tokenLosses(this.network.eval(), tokens)) for (const loss of losses) logProb -= loss;
    const scored = tokens.length - 1;
    return { tokens: scored, logProb, perplexity: perplexity(-logProb / scored) };
  }

  /** Writes on after a prompt, and returns what it wrote. */
  generate(prompt = "", options: GenerateOptions = {}): string {
    return [...this.generateStream(prompt, options)].join("");
  }

  /** As `generate`, in pieces as they come: `for (const piece of lm.generateStream("The "))`. */
  generateStream(prompt = "", options: GenerateOptions = {}): IterableIterator<string> {
    const checked = checkGenerateOptions("LanguageModel.generate", options);
    const text = normalizeText(prompt, "prompt");
    const tokens = this.#encode(text, "prompt");
    if (tokens.length === 0) {
      throw new DataError(
        "prompt: must not be empty, since the model has never seen a line break to begin after",
      );
    }
    const { network, tokenizer } = this;
    return continueText(network.eval().stream(), tokens, tokenizer.decoder(text), tokenizer.unknown, checked);
  }

  /** A text's tokens, as what follows a line break. */
  #encode(text: string, what: string): Int32Array {
    const { lineBreak } = this.tokenizer;
    const tokens = this.tokenizer.encode(normalizeText(text, what), what);
    if (lineBreak === undefined) return tokens;
    const after = new Int32Array(tokens.length + 1);
    after[0] = lineBreak;
    after.set(tokens, 1);
    return after;
  }
}
