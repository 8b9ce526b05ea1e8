import type { ImageTable } from "../../data/images/image-table.ts";
import type { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { ready } from "../../engine/engine.ts";
import { OptionError } from "../../errors.ts";
import { type ModelSource, writeModelFolder } from "../../io/model-folder.ts";
import { type Caption, type CaptionOptions, captionRows } from "./caption.ts";
import type { CaptioningConfig } from "./config.ts";
import type { CaptioningEvaluateOptions, CaptioningEvaluation } from "./evaluate.ts";
import { type ImageInput, tableOf } from "./inputs.ts";
import { type CaptioningParts, loadCaptioning } from "./load.ts";
import type { CaptioningNetwork } from "./network.ts";
import type { CaptioningSource } from "./options.ts";

/** A trained captioner. All of it but the training, which a page that only uses a model need not download. */
export class ImageCaptioner {
  readonly network: CaptioningNetwork;
  readonly config: CaptioningConfig;
  /** @internal */
  readonly words: WordTokenizer;
  /** @internal Of an ensemble, all of them; this one is the first. */
  readonly networks: readonly CaptioningNetwork[];

  /** @internal Use `ImageCaptioner.load`. */
  constructor(parts: CaptioningParts, others: readonly CaptioningParts[] = []) {
    this.network = parts.network.eval();
    this.config = parts.config;
    this.words = parts.words;
    this.networks = [this.network, ...others.map(({ network }) => network.eval())];
  }

  /**
   * Reads a model from the folder that `save` or a training's `out` wrote: its path or, in a page, its URL. Several are an
   * ensemble, whose probabilities are averaged; their words, and what they see, must be the same.
   */
  static async load<M extends ImageCaptioner>(
    this: new (
      parts: CaptioningParts,
      others?: readonly CaptioningParts[],
    ) => M,
    ...folders: readonly [ModelSource, ...ModelSource[]]
  ): Promise<M> {
    await ready();
    const [first, ...others] = await Promise.all(folders.map(loadCaptioning));
    const kind = ({ words, config: { network } }: CaptioningParts) => {
      const { image } = network;
      return JSON.stringify([words.toJSON(), image.kind === "pixels" ? image.size : image]);
    };
    for (const [i, other] of others.entries()) {
      if (kind(other) === kind(first!)) continue;
      throw new OptionError(
        `ImageCaptioner.load: the models of an ensemble must have the same words and see the same, and ${String(folders[i + 1])} has others than ${String(folders[0])}`,
        { hint: "train them on the same images and captions, each with another seed" },
      );
    }
    return new this(first!, others);
  }

  /** Writes config.json, tokenizer.json and model.safetensors; a model that is there already is replaced. */
  async save(folder: string): Promise<void> {
    await writeModelFolder(folder, {
      config: this.config,
      tokenizer: this.words.toJSON(),
      weights: this.network.stateDict(),
    });
  }

  /** What is in an image, or in each of several, in order. */
  caption(image: ImageInput, options?: CaptionOptions): Promise<Caption>;
  caption(images: readonly ImageInput[], options?: CaptionOptions): Promise<Caption[]>;
  async caption(
    given: ImageInput | readonly ImageInput[],
    options: CaptionOptions = {},
  ): Promise<Caption | Caption[]> {
    const images = Array.isArray(given) ? (given as readonly ImageInput[]) : [given as ImageInput];
    if (images.length === 0) return [];
    const table = await tableOf("ImageCaptioner.caption", images, this.config.network.image, options.encoder);
    const captions = await captionRows(this, table, [...images.keys()], options);
    return Array.isArray(given) ? captions : captions[0]!;
  }

  /** Captions of rows of features or pixels. @internal */
  captionTable(table: ImageTable, rows: readonly number[], options: CaptionOptions = {}): Promise<Caption[]> {
    return captionRows(this, table, rows, options);
  }

  /** BLEU-1 … 4, METEOR, ROUGE-L and CIDEr-D of the captions of images, by what people say of them. */
  async evaluate(
    source: CaptioningSource,
    options: CaptioningEvaluateOptions = {},
  ): Promise<CaptioningEvaluation> {
    // Loaded when it is needed: a page that captions need not know how captions are scored.
    const { evaluateCaptioning } = await import("./evaluate.ts");
    return evaluateCaptioning(this, source, options);
  }
}
