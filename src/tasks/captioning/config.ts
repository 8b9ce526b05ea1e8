import * as v from "valibot";
import { FormatError } from "../../errors.ts";
import { attentionScores } from "../../nn/attention.ts";
import { checkContent, formatVersion, numberIn, oneOf, recordOf, wholeNumber } from "../../options.ts";

/** The version of config.json that is written. */
const CONFIG_VERSION = 1;

/**
 * What tells: a recurrent network that is shown the image at its first step (Karpathy & Fei-Fei 2015), an LSTM whose first
 * input it is (Vinyals et al. 2015), or one that also looks at its parts at every step (Xu et al. 2015).
 */
export const decoders = ["rnn", "lstm", "attention"] as const;

const size = wholeNumber(1, 65_536);

/** Vectors that a network trained elsewhere made of an image: one of all of it, and one of each cell of a grid. */
export const features = recordOf({
  kind: v.literal("features"),
  pooled: v.optional(size),
  grid: v.optional(v.tuple([size, wholeNumber(1, 1024), wholeNumber(1, 1024)])),
});

/** Pixels that the network's own convolutions see. */
const pixels = recordOf({
  kind: v.literal("pixels"),
  /** Height and width that images are brought to. */
  size: wholeNumber(4, 1024),
  /** Channels of each block: convolution of 3 × 3, batch normalisation, ReLU, the largest of 2 × 2. */
  channels: v.pipe(v.array(wholeNumber(1, 4096)), v.minLength(1, "must not be empty"), v.maxLength(8)),
});

const network = recordOf({
  image: v.variant("kind", [features, pixels]),
  decoder: oneOf(decoders),
  /** Of decoder "attention": how well what it looks for fits a place. */
  attention: oneOf(attentionScores),
  /** Words, and the boundary of captions before them. */
  vocabulary: wholeNumber(2, 2 ** 24),
  embeddingSize: size,
  hiddenSize: size,
  dropout: numberIn({ from: 0, below: 1 }),
});

export type NetworkConfig = v.InferOutput<typeof network>;
export type ImageConfig = NetworkConfig["image"];

const config = recordOf({
  formatVersion: formatVersion(CONFIG_VERSION),
  task: v.literal("captioning", ({ input }) => `must be "captioning", got ${JSON.stringify(input)}`),
  /** The most words of a caption. */
  maxLength: wholeNumber(1, 10_000),
  network,
  /** The options it was trained with, for the record. */
  training: v.optional(v.record(v.string(), v.unknown())),
});

/** What config.json holds. */
export type CaptioningConfig = v.InferOutput<typeof config>;

export function makeConfig(parts: Omit<CaptioningConfig, "formatVersion" | "task">): CaptioningConfig {
  return { formatVersion: CONFIG_VERSION, task: "captioning", ...parts };
}

/** Reads config.json; its parts must fit each other. */
export function readConfig(json: unknown, file: string): CaptioningConfig {
  const checked = checkContent(file, config, json);
  const problem = problemOf(checked.network);
  if (problem) throw new FormatError(`${file}: network.${problem}`);
  return checked;
}

/** What cannot be in such a network, if anything. */
export function problemOf({ image, decoder }: NetworkConfig): string | undefined {
  if (image.kind === "pixels") {
    const halvings = image.channels.length;
    if (image.size % 2 ** halvings === 0) return undefined;
    return `image.size must be a multiple of ${2 ** halvings} for ${halvings} blocks that halve it, got ${image.size}`;
  }
  if (!image.pooled && !image.grid) return "image must have pooled, grid or both";
  if (decoder === "attention" && !image.grid) return `decoder must be rnn or lstm for images without a grid`;
  return undefined;
}

/** The grid that is looked at: channels, rows and columns; undefined if there is none. */
export function gridOf(image: ImageConfig): [channels: number, rows: number, columns: number] | undefined {
  if (image.kind === "features") return image.grid;
  const side = image.size / 2 ** image.channels.length;
  return [image.channels.at(-1)!, side, side];
}
