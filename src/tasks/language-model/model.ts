import { normalizeText } from "../../data/text/text.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { ready } from "../../engine/engine.ts";
import { DataError, OptionError } from "../../errors.ts";
import { formatModel, type ModelFiles, type ModelSource, writeModelFolder } from "../../io/model-folder.ts";
import { perplexity } from "../../metrics/perplexity.ts";
import { useInt8Weights } from "../../nn/int8.ts";
import type { LanguageModelConfig } from "./config.ts";
import {
  checkEvaluateOptions,
  type EvaluateOptions,
  type Evaluation,
  evaluateLosses,
  shareAmongRare,
  tokenLosses,
} from "./evaluate.ts";
import type { Candidate, FillOptions } from "./fill.ts";
import { checkGenerateOptions, type GenerateOptions, TextStream } from "./generate.ts";
import { checkLoadOptions, type LanguageModelParts, type LoadOptions, loadLanguageModel } from "./load.ts";
import type { LanguageModelNetwork } from "./network.ts";
import type { TextSource } from "./options.ts";
import type { SampleOptions } from "./sample.ts";
import { nameOf } from "./sources.ts";
import type { StreamState } from "./stream.ts";

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
 * A trained language model: predicts each character, byte or word of a text from all those before. All of it but the
 * training, which a page that only uses a model need not download.
 */
export class LanguageModel {
  readonly network: LanguageModelNetwork;
  readonly tokenizer: Tokenizer;
  readonly config: LanguageModelConfig;

  /** @internal Use `LanguageModel.load`. */
  constructor(parts: LanguageModelParts) {
    this.network = parts.network.eval();
    this.tokenizer = parts.tokenizer;
    this.config = parts.config;
  }

  /**
   * Reads a model from the folder that `save` or a training's `out` wrote: its path, in a page its URL, or what `files`
   * gave. With `weights: "int8"` it is for use alone, takes a quarter of the memory and is a little less exact.
   */
  static async load<M extends LanguageModel>(
    this: new (
      parts: LanguageModelParts,
    ) => M,
    source: ModelSource,
    options: LoadOptions = {},
  ): Promise<M> {
    const { weights } = checkLoadOptions("LanguageModel.load", options);
    await ready();
    const parts = await loadLanguageModel(source);
    if (weights === "int8") useInt8Weights(parts.network);
    return new this(parts);
  }

  /** Writes config.json, tokenizer.json and model.safetensors; a model that is there already is replaced. */
  async save(folder: string): Promise<void> {
    await writeModelFolder(folder, this.#folder());
  }

  /** The files that `save` writes, as bytes: for a page to keep, to send, to load again. */
  files(): ModelFiles {
    return formatModel(this.#folder());
  }

  #folder() {
    const { config, tokenizer, network } = this;
    return { config, tokenizer, weights: network.stateDict() };
  }

  /**
   * How well the model predicts a text: files or `{ text }`, as for `train`. It is read as one stream from beginning to
   * end, each token but the first predicted from all those before it. Of a bidirectional model, and with `ranks`, each line
   * is for itself, and line breaks are not counted.
   */
  async evaluate(source: TextSource, options: EvaluateOptions = {}): Promise<Evaluation> {
    const { signal, onProgress, cache, dynamic, ranks, neuralCache } = checkEvaluateOptions(
      "LanguageModel.evaluate",
      options,
    );
    if ([neuralCache, dynamic, ranks || undefined].filter((given) => given !== undefined).length > 1) {
      throw new OptionError("LanguageModel.evaluate: neuralCache, dynamic and ranks do not go together");
    }
    if (neuralCache) this.network.refuseBidirectional("have a neural cache");
    if (dynamic !== undefined) this.network.refuseBidirectional("learn while it is evaluated");
    // Loaded when it is needed: a page that generates text need not know how corpora are read.
    const { readTokens } = await import("./data.ts");
    const { tokens, close } = await readTokens(source, this.tokenizer, { signal, cache });
    try {
      if (tokens.length < 2) {
        throw new DataError(`${nameOf(source)}: must have 2 tokens or more, got ${tokens.length}`);
      }
      const network = this.network.eval();
      const { lineBreak } = this.tokenizer;
      if (network.backward || ranks) {
        if (lineBreak === undefined) {
          throw new DataError(
            "LanguageModel.evaluate: ranks are those in a line, and the model knows no lines",
          );
        }
        const { evaluateGaps } = await import("./later.ts");
        const gaps = { lineBreak, ranks, signal, onProgress };
        const found = await evaluateGaps(network, tokens, this.tokenizer, gaps);
        signal?.throwIfAborted();
        return found!;
      }
      const later = dynamic !== undefined || neuralCache ? await import("./later.ts") : undefined;
      const losses = !later
        ? tokenLosses(network, tokens)
        : neuralCache
          ? later.cachedTokenLosses(network, tokens, neuralCache)
          : later.dynamicTokenLosses(network, tokens, dynamic!);
      const shared = shareAmongRare(losses, tokens, this.tokenizer);
      const evaluation = await evaluateLosses(shared, tokens.length - 1, signal, onProgress);
      signal?.throwIfAborted();
      return evaluation!;
    } finally {
      close();
    }
  }

  /**
   * How likely a text is, as what follows a line break. (A vocabulary without one leaves the first token unscored.) It is
   * the same whether text and continuation are scored at once or one after the other.
   */
  score(text: string): Score {
    const tokens = this.#encode(text, "text");
    if (tokens.length < 2) throw new DataError("text: must have a token to score, got none");
    let logProb = 0;
    const losses = shareAmongRare(tokenLosses(this.network.eval(), tokens), tokens, this.tokenizer);
    for (const chunk of losses) for (const loss of chunk) logProb -= loss;
    const scored = tokens.length - 1;
    return { tokens: scored, logProb, perplexity: perplexity(-logProb / scored) };
  }

  /** Writes on after a prompt, and returns what it wrote. */
  generate(prompt = "", options: GenerateOptions = {}): string {
    return [...this.generateStream(prompt, options)].join("");
  }

  /**
   * As `generate`, in pieces as they come: `for (const piece of lm.generateStream("The "))`, or `for await`, which lets
   * others have their turn meanwhile.
   */
  generateStream(prompt = "", options: GenerateOptions = {}): TextStream {
    this.network.refuseBidirectional("generate");
    const checked = checkGenerateOptions("LanguageModel.generate", options);
    const text = normalizeText(prompt, "prompt");
    // With a state, the text goes on; without one, it begins after a line break.
    const tokens = checked.state ? this.tokenizer.encode(text, "prompt") : this.#encode(text, "prompt");
    if (tokens.length === 0 && !checked.state) {
      throw new DataError(
        "prompt: must not be empty, since the model has never seen a line break to begin after",
      );
    }
    const stream = (from?: StreamState) => this.network.eval().stream(from);
    return new TextStream({ stream, tokenizer: this.tokenizer }, { tokens, text }, checked);
  }

  /**
   * Texts that the model writes side by side, each from a line break on, drawn from its probabilities as they are: many
   * times as many words a second as `generate` gives.
   */
  async sample(options: SampleOptions): Promise<string[]> {
    this.network.refuseBidirectional("sample");
    const { sampleTexts } = await import("./later.ts");
    return sampleTexts(this.network, this.tokenizer, options);
  }

  /**
   * What belongs in the gap of a line, `"I bought a __ of shoes"`: the likeliest tokens. A model that was trained with
   * `bidirectional` knows by both sides, any other by what stands before the gap.
   */
  async fill(text: string, options: FillOptions = {}): Promise<Candidate[]> {
    const { fillGap } = await import("./later.ts");
    return fillGap(this.network, this.tokenizer, text, options);
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
