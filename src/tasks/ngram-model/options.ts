import * as v from "valibot";
import type { ReadingStage } from "../../data/text/encode.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { type WordSplit, wordSplits } from "../../data/text/words.ts";
import { OptionError } from "../../errors.ts";
import {
  checkOptions,
  functionOf,
  oneOf,
  recordOf,
  type SchemasOf,
  trueOrFalse,
  wholeNumber,
} from "../../options.ts";
import { cacheFolder } from "../language-model/choices.ts";

/** Everything `NgramModel.train` can be told. */
export interface NgramOptions {
  /** The longest n-grams, 1 to 6: how many tokens, the predicted one among them. Default 5. */
  order?: number;
  /** What a token is. Default "word". */
  unit?: "word" | "char";
  /** Of words: how the text is cut into them. Default "whitespace". */
  split?: WordSplit;
  /** Of words. Default false. */
  lowercase?: boolean;
  /** Of words: rarer ones become `<unk>`. Default 1 for a text with `<unk>` in it, else 2. */
  minCount?: number;
  /** Of words: the most there may be, `<unk>` and `<eos>` among them. Default all. */
  maxVocabulary?: number;
  /** A vocabulary to keep instead of making that of the text, e.g. that of the model to mix with. */
  tokenizer?: Tokenizer;
  /** Whether each line begins anew, whatever stands before it. Default: of words. */
  independent?: boolean;
  /** How often n-grams of order 1, 2, 3, … must occur to be kept; it must not fall. Default 1 for all. */
  cutoffs?: readonly number[];
  /** Where the tokens of a text too large for memory are kept; false to keep none. */
  cache?: string | false;
  /** Told how much of the text is read, if it is too large for memory. */
  onProgress?: (event: { stage: ReadingStage; progress: number }) => void;
  /** Ends the training with the signal's reason. */
  signal?: AbortSignal;
}

const MAX_COUNT = 2 ** 31 - 1;

const schema = recordOf({
  order: v.optional(wholeNumber(1, 6), 5),
  unit: v.optional(oneOf(["word", "char"]), "word"),
  split: v.optional(oneOf(wordSplits)),
  lowercase: v.optional(trueOrFalse()),
  minCount: v.optional(wholeNumber(1, MAX_COUNT)),
  maxVocabulary: v.optional(wholeNumber(3, 2 ** 20)),
  tokenizer: v.optional(
    v.custom<Tokenizer>(
      (x) => typeof (x as Tokenizer | null)?.encode === "function",
      "must be a tokenizer, e.g. that of a model",
    ),
  ),
  independent: v.optional(trueOrFalse()),
  cutoffs: v.optional(v.array(wholeNumber(1, MAX_COUNT), "must be an array of whole numbers"), []),
  cache: v.optional(cacheFolder),
  onProgress: v.optional(functionOf<NonNullable<NgramOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<NgramOptions>);

export function checkNgramOptions(where: string, options: NgramOptions) {
  const checked = checkOptions(where, schema, options);
  const { order, cutoffs, unit, tokenizer } = checked;
  const fail = (message: string): never => {
    throw new OptionError(`${where}: ${message}`);
  };
  if (cutoffs.length > order)
    fail(`cutoffs must be at most ${order}, one for each order, got ${cutoffs.length}`);
  if (cutoffs.some((least, i) => (i === 0 ? least > 1 : least < cutoffs[i - 1]!))) {
    fail(`cutoffs must begin with 1 and not fall, got ${cutoffs.join(", ")}`);
  }
  for (const name of ["split", "lowercase", "minCount", "maxVocabulary"] as const) {
    if (checked[name] === undefined) continue;
    if (tokenizer) fail(`${name} is of a vocabulary to be made, and tokenizer is one`);
    if (unit !== "word") fail(`${name} is of unit "word" alone`);
  }
  return checked;
}
