import * as v from "valibot";
import { FormatError } from "../../errors.ts";
import { checkContent, formatVersion, numberIn, recordOf, wholeNumber } from "../../options.ts";
import { features } from "../captioning/config.ts";

/** The version of config.json that is written. */
const CONFIG_VERSION = 1;
const size = wholeNumber(1, 65_536);

const network = recordOf({
  image: features,
  /** Words, and the boundary that short sentences are filled up with. */
  vocabulary: wholeNumber(2, 2 ** 24),
  embeddingSize: size,
  /** Of the space that regions and words share. */
  hiddenSize: size,
  dropout: numberIn({ from: 0, below: 1 }),
});

export type NetworkConfig = v.InferOutput<typeof network>;

const config = recordOf({
  formatVersion: formatVersion(CONFIG_VERSION),
  task: v.literal("alignment", ({ input }) => `must be "alignment", got ${JSON.stringify(input)}`),
  network,
  /** The options it was trained with, for the record. */
  training: v.optional(v.record(v.string(), v.unknown())),
});

/** What config.json holds. */
export type AlignmentConfig = v.InferOutput<typeof config>;

export function makeConfig(parts: Omit<AlignmentConfig, "formatVersion" | "task">): AlignmentConfig {
  return { formatVersion: CONFIG_VERSION, task: "alignment", ...parts };
}

export function readConfig(json: unknown, file: string): AlignmentConfig {
  const checked = checkContent(file, config, json);
  const { pooled, grid } = checked.network.image;
  if (!pooled && !grid) throw new FormatError(`${file}: network.image must have pooled, grid or both`);
  return checked;
}
