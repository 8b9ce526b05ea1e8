import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import { type CaptionSplit, splits } from "../../data/images/caption-file.ts";
import { tokenizerFromJSON } from "../../data/text/tokenizer-json.ts";
import { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { regionPath } from "../../decoding/region-path.ts";
import { ready } from "../../engine/engine.ts";
import { DataError, FormatError } from "../../errors.ts";
import { type ModelSource, modelFile, readModel, writeModelFolder } from "../../io/model-folder.ts";
import { captionWords } from "../../metrics/caption-tokens.ts";
import { checkOptions, functionOf, numberIn, oneOf, recordOf, type SchemasOf, text } from "../../options.ts";
import { readCaptioned } from "../captioning/corpus.ts";
import { checkTable, type ImageInput, tableOf } from "../captioning/inputs.ts";
import { type CaptioningSource, sourceSchema } from "../captioning/options.ts";
import { loadWeights } from "../load-weights.ts";
import { type AlignmentConfig, readConfig } from "./config.ts";
import { type AlignmentMeasures, measureAlignment, sideBySide, wordsOf } from "./evaluate.ts";
import { AlignmentNetwork, countParameters, similarities } from "./network.ts";
import type { AlignmentOptions } from "./options.ts";
import { type AlignmentParts, trainAlignment } from "./train.ts";

export interface AlignOptions {
  /** β: how much rather a word has the region of its neighbour, 0 for each word by itself. Default 0. */
  affinity?: number;
  /** For images that are files: the CNN as ONNX that makes their features. */
  encoder?: string;
}

const alignSchema = recordOf({
  affinity: v.optional(numberIn({ from: 0 }), 0),
  encoder: v.optional(text()),
} satisfies SchemasOf<AlignOptions>);

/** Which word belongs where. */
export interface Alignment {
  words: string[];
  /** The cells of the grid; 0 of images that have none. */
  rows: number;
  columns: number;
  /** Of each word: a cell, counted row by row, or after the last of them the whole image. */
  regions: number[];
  /** How well each word fits each region. */
  scores: Float32Array[];
}

export interface AlignmentEvaluateOptions {
  /** Of captions that say which part their images belong to. Default "test". */
  part?: CaptionSplit;
  /** How many sentences are compared, of how many. */
  onProgress?: (event: { sentences: number; of: number }) => void;
  /** Ends it with the signal's reason. */
  signal?: AbortSignal;
}

const evaluateSchema = recordOf({
  part: v.optional(oneOf(splits), "test"),
  onProgress: v.optional(functionOf<NonNullable<AlignmentEvaluateOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<AlignmentEvaluateOptions>);

export interface AlignmentEvaluation extends AlignmentMeasures {
  images: number;
  sentences: number;
  notes: string[];
}

/**
 * Words aligned with the regions of images by a network that is only told which sentence belongs to which image (Karpathy &
 * Fei-Fei 2015, §3.1). It finds images by sentences, and sentences by images.
 *
 *     const aligner = await ImageAligner.train({ captions: "tokens.txt", features: ["grid.safetensors"] });
 *     console.log((await aligner.evaluate({ … })).imageFromSentence.recallAt10);
 */
export class ImageAligner {
  readonly network: AlignmentNetwork;
  readonly config: AlignmentConfig;
  /** @internal */
  readonly words: WordTokenizer;

  /** @internal Use `ImageAligner.train` or `ImageAligner.load`. */
  constructor({ network, words, config }: AlignmentParts) {
    this.network = network.eval();
    this.words = words;
    this.config = config;
  }

  /** Trains on features of images and their captions. The model has the weights that validated best. */
  static async train(source: CaptioningSource, options: AlignmentOptions = {}): Promise<ImageAligner> {
    await ready();
    return new ImageAligner(await trainAlignment(source, options));
  }

  /** Reads a model from the folder that `save` or a training's `out` wrote. */
  static async load(folder: ModelSource): Promise<ImageAligner> {
    await ready();
    const { config: json, weights, tokenizer } = await readModel(folder);
    const config = readConfig(json, modelFile(folder, "config"));
    const file = modelFile(folder, "tokenizer");
    const words = await tokenizerFromJSON(tokenizer, file);
    const { vocabulary } = config.network;
    if (!(words instanceof WordTokenizer) || words.size + 1 !== vocabulary) {
      throw new FormatError(
        `${file}: must have ${vocabulary - 1} words, as config.json says, got ${words.size}`,
      );
    }
    const network = loadWeights(weights, modelFile(folder, "weights"), {
      parameters: countParameters(config.network),
      make: () => new AlignmentNetwork(config.network),
    });
    return new ImageAligner({ network, words, config });
  }

  /** Writes config.json, tokenizer.json and model.safetensors; a model that is there already is replaced. */
  async save(folder: string): Promise<void> {
    const { config, words, network } = this;
    await writeModelFolder(folder, { config, tokenizer: words.toJSON(), weights: network.stateDict() });
  }

  /** Which region of an image each word of a sentence belongs to. */
  async align(image: ImageInput, sentence: string, options: AlignOptions = {}): Promise<Alignment> {
    const { affinity, encoder } = checkOptions("ImageAligner.align", alignSchema, options);
    const words = captionWords(sentence);
    if (words.length === 0) throw new DataError("ImageAligner.align: the sentence has no words");
    const table = await tableOf("ImageAligner.align", [image], this.config.network.image, encoder);
    const { tokens, lengths } = sideBySide([wordsOf(this.words, sentence)]);
    const { regions, fits } = step(() =>
      noGrad(() => {
        const found = this.network.regions(table.batch([0]));
        const compared = similarities(found, this.network.words(tokens, lengths));
        return { regions: found.shape[1]!, fits: compared.toArray() as Float32Array };
      }),
    );
    const T = words.length;
    const scores = words.map((_, t) => Float32Array.from({ length: regions }, (_, r) => fits[r * T + t]!));
    const [, rows = 0, columns = 0] = this.config.network.image.grid ?? [];
    return { words, rows, columns, regions: regionPath(scores, affinity), scores };
  }

  /** How well images and sentences find each other among all of them. */
  async evaluate(
    source: CaptioningSource,
    options: AlignmentEvaluateOptions = {},
  ): Promise<AlignmentEvaluation> {
    const where = "ImageAligner.evaluate";
    const { part, signal, onProgress } = checkOptions(where, evaluateSchema, options);
    const given = checkOptions(where, sourceSchema, source) as CaptioningSource;
    const captioned = await readCaptioned(given, part);
    checkTable(where, captioned.table, this.config.network.image);
    const measured = await measureAlignment(this, captioned, { signal, onProgress });
    signal?.throwIfAborted();
    return { images: captioned.images.length, ...measured!, notes: captioned.notes };
  }
}
