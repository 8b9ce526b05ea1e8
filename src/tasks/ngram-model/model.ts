import { normalizeText } from "../../data/text/text.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { EOS, UNK } from "../../data/text/words.ts";
import { DataError, OptionError } from "../../errors.ts";
import { writeFile } from "../../io/files.ts";
import { formatModel, type ModelFiles, type ModelSource, writeModelFolder } from "../../io/model-folder.ts";
import { bitsPerToken, perplexity } from "../../metrics/perplexity.ts";
import { arpaLines } from "../../ngram/arpa-write.ts";
import { SENTENCE_END, SENTENCE_START, spellSymbol } from "../../ngram/spelling.ts";
import type { NgramTable } from "../../ngram/table.ts";
import { tableTensors } from "../../ngram/tensors.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { checkEvaluateOptions, type EvaluateOptions, type Evaluation } from "../language-model/evaluate.ts";
import { checkGenerateOptions, type GenerateOptions, TextStream } from "../language-model/generate.ts";
import type { Score } from "../language-model/model.ts";
import type { TextSource } from "../language-model/options.ts";
import { nameOf } from "../language-model/sources.ts";
import type { StreamState, TokenStream } from "../language-model/stream.ts";
import type { NgramConfig } from "./config.ts";
import { type ArpaOptions, loadNgramModel, type NgramParts } from "./load.ts";
import type { NgramOptions } from "./options.ts";

/** Tokens scored between two turns of the event loop. */
const CHUNK = 2 ** 18;

/**
 * An n-gram language model, by modified Kneser–Ney: what a recurrent one is measured against and mixed with. It has the
 * verbs of `LanguageModel`.
 *
 *     const kn5 = await NgramModel.train("train.txt", { order: 5 });
 *     console.log((await kn5.evaluate("test.txt")).perplexity);
 *     await kn5.saveArpa("kn5.arpa");
 */
export class NgramModel {
  readonly table: NgramTable;
  readonly tokenizer: Tokenizer;
  readonly config: NgramConfig;
  /** ln P of the token that `step` took last. */
  logProb = 0;

  /** @internal Use `NgramModel.train` or `NgramModel.load`. */
  constructor({ table, tokenizer, config }: NgramParts) {
    this.table = table;
    this.tokenizer = tokenizer;
    this.config = config;
  }

  /** Trains a model on text files or on `{ text }`. */
  static async train(source: TextSource, options: NgramOptions = {}): Promise<NgramModel> {
    const { trainNgramModel } = await import("./train.ts");
    return new NgramModel(await trainNgramModel(source, options));
  }

  /** Reads a model from the folder that `save` wrote, or from a file `*.arpa`, perhaps packed. */
  static async load(source: ModelSource, options: ArpaOptions = {}): Promise<NgramModel> {
    return new NgramModel(await loadNgramModel(source, options));
  }

  /** Writes config.json, tokenizer.json and model.safetensors; a model that is there already is replaced. */
  async save(folder: string): Promise<void> {
    await writeModelFolder(folder, this.#folder());
  }

  /** The files that `save` writes, as bytes. */
  files(): ModelFiles {
    return formatModel(this.#folder());
  }

  #folder() {
    const { config, tokenizer, table } = this;
    return { config, tokenizer, weights: tableTensors(table) };
  }

  /**
   * Writes the model in the ARPA format, which other programs read, and `load` to the same bits. Blanks of a character
   * model are spelt `<space>`.
   */
  async saveArpa(path: string): Promise<void> {
    const { tokenizer, table } = this;
    const special = new Map([
      [EOS, SENTENCE_END],
      [UNK, UNK],
      ["\n", SENTENCE_END],
    ]);
    const { words, symbols = words } = tokenizer.toJSON() as { words?: string[]; symbols?: string[] };
    if (!symbols) {
      throw new OptionError(
        `NgramModel.saveArpa: the format is for words or characters, and this model is of ${tokenizer.unit}`,
      );
    }
    const spelling = symbols.map((symbol) => special.get(symbol) ?? spellSymbol(symbol));
    await writeFile(path, arpaLines(table, [...spelling, SENTENCE_START]));
  }

  /** The state at the beginning of a text. */
  get start(): number {
    return this.table.start;
  }

  /** The state after a token, `logProb` being then what the token had; independent lines begin anew. */
  step(state: number, token: number): number {
    const { lineBreak, unknown, rareWords = 1 } = this.tokenizer;
    const next = this.table.step(state, token);
    this.logProb = this.table.logProb - (token === unknown ? Math.log(rareWords) : 0);
    return this.config.ngram.independent && token === lineBreak ? this.start : next;
  }

  /** How well the model predicts a text, every token of it, the first too. */
  async evaluate(source: TextSource, options: EvaluateOptions = {}): Promise<Evaluation> {
    const { signal, onProgress, cache, ranks, dynamic, neuralCache } = checkEvaluateOptions(
      "NgramModel.evaluate",
      options,
    );
    if (ranks || dynamic !== undefined || neuralCache) {
      throw new OptionError("NgramModel.evaluate: ranks, dynamic and neuralCache are for networks");
    }
    const { readTokens } = await import("../language-model/data.ts");
    const { tokens, close } = await readTokens(source, this.tokenizer, { signal, cache });
    const pause = eventLoopTurns();
    try {
      const of = tokens.length;
      if (of === 0) throw new DataError(`${nameOf(source)}: must have a token to score, got none`);
      let sum = 0;
      let { start: state } = this;
      for (let from = 0; from < of; from += CHUNK) {
        signal?.throwIfAborted();
        for (const token of tokens.slice(from, Math.min(from + CHUNK, of))) {
          state = this.step(state, token);
          sum -= this.logProb;
        }
        onProgress?.({ tokens: Math.min(from + CHUNK, of), of });
        await pause();
      }
      const loss = sum / of;
      return { tokens: of, loss, perplexity: perplexity(loss), bitsPerToken: bitsPerToken(loss) };
    } finally {
      close();
    }
  }

  /** How likely a text is, as the beginning of a line. */
  score(text: string): Score {
    const tokens = this.tokenizer.encode(normalizeText(text, "text"), "text");
    if (tokens.length === 0) throw new DataError("text: must have a token to score, got none");
    let logProb = 0;
    let { start: state } = this;
    for (const token of tokens) {
      state = this.step(state, token);
      logProb += this.logProb;
    }
    return { tokens: tokens.length, logProb, perplexity: perplexity(-logProb / tokens.length) };
  }

  /** Writes on after a prompt, and returns what it wrote. */
  generate(prompt = "", options: GenerateOptions = {}): string {
    return [...this.generateStream(prompt, options)].join("");
  }

  /** As `generate`, in pieces as they come. */
  generateStream(prompt = "", options: GenerateOptions = {}): TextStream {
    const checked = checkGenerateOptions("NgramModel.generate", options);
    const text = normalizeText(prompt, "prompt");
    const { tokenizer } = this;
    const encoded = tokenizer.encode(text, "prompt");
    // A text goes on where it was, or begins with the line break that stands before it.
    const begins = !checked.state && tokenizer.lineBreak !== undefined;
    const tokens = begins ? Int32Array.of(tokenizer.lineBreak!, ...encoded) : encoded;
    if (tokens.length === 0 && !checked.state) {
      throw new DataError(
        "prompt: must not be empty, since the model has never seen a line break to begin after",
      );
    }
    return new TextStream(
      { tokenizer, stream: (from) => this.#stream(from, begins) },
      { tokens, text },
      checked,
    );
  }

  /** `begins`: the first token is the line break before the text, which the model knows as `<s>`. */
  #stream(from: StreamState | undefined, begins: boolean): TokenStream {
    const { table } = this;
    let [at = table.start] = from?.ngram ?? [];
    if (!(at >= 0 && Number.isInteger(at) && at <= table.states)) {
      throw new OptionError(
        `state: is not of this model: ngram must be from 0 to ${table.states}, got ${at}`,
      );
    }
    let first = begins;
    const logits = new Float64Array(table.vocabularySize);
    return {
      step: (token) => {
        at = first ? table.start : this.step(at, token);
        first = false;
        return table.distribution(at, logits);
      },
      state: () => ({ ngram: [at] }),
    };
  }
}
