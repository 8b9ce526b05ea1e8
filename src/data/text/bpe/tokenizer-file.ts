import * as v from "valibot";
import { FormatError } from "../../../errors.ts";
import { checkContent, recordOf, text, trueOrFalse } from "../../../options.ts";
import { type AddedToken, addedTokenSchema } from "./added-tokens.ts";

const MOST_TOKENS = 2 ** 24;

/** What is refused by its name: it would change the tokens. */
const absent = (what: string) => v.optional(v.null(`is not supported: must be null (${what})`), null);
const optionalText = v.nullish(text());

const model = recordOf({
  type: v.optional(
    v.literal("BPE", ({ input }) => `must be BPE, got ${JSON.stringify(input)}`),
    "BPE",
  ),
  dropout: v.nullish(v.literal(0, "is not supported: must be null (merges left out at random)")),
  unk_token: optionalText,
  continuing_subword_prefix: optionalText,
  end_of_word_suffix: optionalText,
  fuse_unk: v.nullish(trueOrFalse()),
  byte_fallback: v.nullish(trueOrFalse()),
  ignore_merges: v.nullish(trueOrFalse()),
  // Not v.record, which leaves out keys such as "constructor": they are tokens like any other.
  vocab: v.custom<Record<string, number>>(isVocabulary, "must be an object of tokens and their numbers"),
  merges: v.array(
    v.union([v.string(), v.tuple([v.string(), v.string()])], 'must be "a b" or ["a", "b"]'),
    "must be an array",
  ),
});

function isVocabulary(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const numbers = Object.values(value);
  return (
    numbers.length <= MOST_TOKENS &&
    numbers.every((number) => Number.isInteger(number) && number >= 0 && number < MOST_TOKENS)
  );
}

const schema = recordOf({
  version: v.optional(text()),
  truncation: absent("texts cut to a length"),
  padding: absent("texts filled up to a length"),
  added_tokens: v.optional(v.array(addedTokenSchema, "must be an array"), []),
  normalizer: v.nullish(v.unknown()),
  pre_tokenizer: v.nullish(v.unknown()),
  post_processor: v.nullish(v.unknown()),
  decoder: v.nullish(v.unknown()),
  model,
});

/** Hugging Face's tokenizer.json, of a model of byte-pair encoding. */
export interface TokenizerFile {
  added_tokens: AddedToken[];
  normalizer: unknown;
  pre_tokenizer: unknown;
  /** What puts special tokens around a text: kept, and not applied. */
  post_processor: unknown;
  decoder: unknown;
  model: {
    unk_token: string | undefined;
    continuing_subword_prefix: string | undefined;
    end_of_word_suffix: string | undefined;
    fuse_unk: boolean;
    byte_fallback: boolean;
    ignore_merges: boolean;
    vocab: Record<string, number>;
    merges: [string, string][];
  };
}

export function readTokenizerFile(json: unknown, file: string): TokenizerFile {
  const { added_tokens, normalizer, pre_tokenizer, post_processor, decoder, model } = checkContent(
    file,
    schema,
    json,
  );
  return {
    added_tokens,
    normalizer: normalizer ?? null,
    pre_tokenizer: pre_tokenizer ?? null,
    post_processor: post_processor ?? null,
    decoder: decoder ?? null,
    model: {
      unk_token: model.unk_token ?? undefined,
      continuing_subword_prefix: model.continuing_subword_prefix || undefined,
      end_of_word_suffix: model.end_of_word_suffix || undefined,
      fuse_unk: model.fuse_unk ?? false,
      byte_fallback: model.byte_fallback ?? false,
      ignore_merges: model.ignore_merges ?? false,
      vocab: model.vocab,
      merges: model.merges
        .filter((merge) => typeof merge !== "string" || !merge.startsWith("#version"))
        .map((merge, i) => (typeof merge === "string" ? splitMerge(merge, i, file) : merge)),
    },
  };
}

function splitMerge(merge: string, i: number, file: string): [string, string] {
  const parts = merge.split(" ");
  if (parts.length === 2) return parts as [string, string];
  throw new FormatError(
    `${file}: model.merges.${i} must be two tokens and a blank, got ${JSON.stringify(merge)}`,
  );
}

/** As Hugging Face writes it. */
export function writeTokenizerFile({ model, ...file }: TokenizerFile): Record<string, unknown> {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    ...file,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: model.unk_token ?? null,
      continuing_subword_prefix: model.continuing_subword_prefix ?? null,
      end_of_word_suffix: model.end_of_word_suffix ?? null,
      fuse_unk: model.fuse_unk,
      byte_fallback: model.byte_fallback,
      ignore_merges: model.ignore_merges,
      vocab: model.vocab,
      merges: model.merges,
    },
  };
}
