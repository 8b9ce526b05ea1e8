import * as v from "valibot";
import { type TuningResult, tuneCtcDecoding } from "../../decoding/ctc/tuning.ts";
import { OptionError } from "../../errors.ts";
import { characterErrorRate, type ErrorRate, wordErrorRate } from "../../metrics/error-rate.ts";
import { functionOf, numberIn, recordOf, type SchemasOf, trueOrFalse } from "../../options.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { normalizeTranscript } from "./alphabet.ts";
import { extractAll, type Item, normalizeAll } from "./dataset.ts";
import { Decoder, type DecodingOptions, decodingEntries } from "./decoder.ts";
import type { FeaturesEvent, SkippedEvent } from "./events.ts";
import { allLogProbs } from "./infer.ts";
import type { SpeechParts } from "./load.ts";
import { joinSchema } from "./options.ts";
import { readUtterances, type SpeechSource } from "./utterances.ts";

interface SetOptions {
  /** Strings of so many utterances of one speaker, as for training. Default: as they are. */
  join?: readonly [from: number, to: number] | undefined;
  /** Leave out utterances that cannot be used, instead of stopping at the first. Default false. */
  skipBad?: boolean | undefined;
  onProgress?: ((event: FeaturesEvent | SkippedEvent) => void) | undefined;
  /** Ends the work with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const setEntries = {
  join: v.optional(joinSchema),
  skipBad: v.optional(trueOrFalse(), false),
  onProgress: v.optional(functionOf<NonNullable<SetOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<SetOptions>;

export interface SpeechEvaluateOptions extends DecodingOptions, SetOptions {}

export const evaluateSchema = recordOf({
  ...decodingEntries,
  ...setEntries,
} satisfies SchemasOf<SpeechEvaluateOptions>);

export interface TuneOptions extends Omit<DecodingOptions, "lmWeight" | "insertionBonus">, SetOptions {
  /** Weights of the language model to try. Default 0.25, 0.5, 0.75, 1, 1.5, 2. */
  weights?: readonly number[];
  /** Insertion bonuses to try with each. Default −1, 0, 1, 2. */
  insertionBonuses?: readonly number[];
}

const { lmWeight: _, insertionBonus: __, ...searchEntries } = decodingEntries;
const numbers = v.pipe(v.array(numberIn({}), "must be an array of numbers"), v.minLength(1, "must have one"));

export const tuneSchema = recordOf({
  ...searchEntries,
  ...setEntries,
  weights: v.optional(numbers, [0.25, 0.5, 0.75, 1, 1.5, 2]),
  insertionBonuses: v.optional(numbers, [-1, 0, 1, 2]),
} satisfies SchemasOf<TuneOptions>);

/** An error rate, and the errors it is made of. */
export type ErrorCounts = Pick<ErrorRate, "rate" | "hits" | "substitutions" | "deletions" | "insertions">;

/** How well a recogniser does. */
export interface SpeechEvaluation {
  utterances: number;
  /** The part of them with an error. */
  wrong: number;
  /** Of words. */
  wer: ErrorCounts;
  /** Of characters. */
  cer: ErrorCounts;
  /** Of sound. */
  seconds: number;
  /** How long network and decoding took. */
  elapsed: number;
  /** Utterances that were left out, and why; and what was not as their files say. */
  skipped: string[];
  notes: string[];
  results: { id: string; reference: string; text: string }[];
}

const counts = ({ rate, hits, substitutions, deletions, insertions }: ErrorRate): ErrorCounts => {
  return { rate, hits, substitutions, deletions, insertions };
};

/** Reads utterances as a model takes them. */
async function readItems({ frontEnd, config }: SpeechParts, source: SpeechSource, options: SetOptions) {
  const { join, skipBad = false, signal, onProgress } = options;
  const { utterances } = await readUtterances(source, "test", join);
  const spoken = utterances.map((one) => ({ ...one, text: normalizeTranscript(one.text, config.lowercase) }));
  const { found, skipped } = await extractAll(spoken, frontEnd, undefined, { skipBad, signal, onProgress });
  return { items: normalizeAll(found, frontEnd, config.statistics), skipped };
}

async function logProbsOf({ network, frontEnd }: SpeechParts, items: readonly Item[], signal?: AbortSignal) {
  const windows = items.map(({ variants }) => frontEnd.windows(variants[0]!));
  const found = await allLogProbs(network, windows, signal);
  signal?.throwIfAborted();
  return found!;
}

export async function evaluateSpeech(
  model: SpeechParts,
  source: SpeechSource,
  options: v.InferOutput<typeof evaluateSchema>,
): Promise<SpeechEvaluation> {
  const decoder = await Decoder.open("SpeechRecognizer.evaluate", model.alphabet, options);
  const { items, skipped } = await readItems(model, source, options);
  const started = performance.now();
  const logProbs = await logProbsOf(model, items, options.signal);
  const pause = eventLoopTurns();
  const results: SpeechEvaluation["results"] = [];
  for (const [i, { id, transcript }] of items.entries()) {
    const text = decoder.hypotheses(logProbs[i]!)[0]?.text ?? "";
    results.push({ id, reference: transcript, text });
    await pause();
    options.signal?.throwIfAborted();
  }
  const elapsed = (performance.now() - started) / 1000;
  const references = results.map(({ reference }) => reference);
  const texts = results.map(({ text }) => text);
  return {
    utterances: results.length,
    wrong: results.filter(({ reference, text }) => reference !== text).length / results.length,
    wer: counts(wordErrorRate(references, texts)),
    cer: counts(characterErrorRate(references, texts)),
    seconds: items.reduce((sum, { seconds }) => sum + seconds, 0),
    elapsed,
    skipped,
    notes: items.flatMap(({ notes }) => notes),
    results,
  };
}

export async function tuneSpeech(
  model: SpeechParts,
  source: SpeechSource,
  { weights, insertionBonuses, ...options }: v.InferOutput<typeof tuneSchema>,
): Promise<TuningResult[]> {
  const where = "SpeechRecognizer.tune";
  const { search } = await Decoder.open(where, model.alphabet, options);
  if (!search?.languageModel)
    throw new OptionError(`${where}: lm must be given, its weight is what is tuned`);
  const { items } = await readItems(model, source, options);
  const logProbs = await logProbsOf(model, items, options.signal);
  const development = items.map(({ transcript: text }, i) => ({ logProbs: logProbs[i]!, text }));
  return tuneCtcDecoding(development, search, { weights, insertionBonuses, signal: options.signal });
}
