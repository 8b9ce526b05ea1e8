import * as v from "valibot";
import { checkContent, formatVersion, numberIn, recordOf, trueOrFalse, wholeNumber } from "../../options.ts";

/** The version of config.json that is written. */
const CONFIG_VERSION = 1;

const ngram = recordOf({
  /** How many n-grams there are of each order, `<s>` among those of order 1. */
  sizes: v.pipe(
    v.array(wholeNumber(0, 2 ** 31), "must be an array"),
    v.minLength(1, "must not be empty"),
    v.maxLength(20, "must have 20 entries or less"),
    v.check(
      (sizes) => sizes.reduce((sum, size) => sum + size, 0) < 2 ** 30,
      "must be less than 2^30 n-grams in all",
    ),
  ),
  /** Whether each line begins anew, whatever stands before it. */
  independent: trueOrFalse(),
  /** What was taken from n-grams counted once, twice, and more often, order by order. */
  discounts: v.optional(
    v.array(
      v.array(numberIn({ from: 0, to: 3 }), "must be an array of numbers"),
      "must be an array of arrays of numbers",
    ),
  ),
});

const config = recordOf({
  formatVersion: formatVersion(CONFIG_VERSION),
  task: v.literal("ngram", ({ input }) => `must be "ngram", got ${JSON.stringify(input)}`),
  ngram,
  /** The options it was trained with, for the record. */
  training: v.optional(v.record(v.string(), v.unknown())),
});

/** What config.json holds. */
export type NgramConfig = v.InferOutput<typeof config>;

export function makeNgramConfig(
  ngram: NgramConfig["ngram"],
  training?: Record<string, unknown>,
): NgramConfig {
  return { formatVersion: CONFIG_VERSION, task: "ngram", ngram, ...(training && { training }) };
}

export function readNgramConfig(json: unknown, file: string): NgramConfig {
  return checkContent(file, config, json);
}
