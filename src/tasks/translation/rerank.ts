import * as v from "valibot";
import { bestOf, tuneWeights } from "../../decoding/tune-weights.ts";
import { DataError, FormatError, OptionError } from "../../errors.ts";
import { BLEU } from "../../metrics/bleu.ts";
import { type BleuTokenizer, bleuTokenizers } from "../../metrics/bleu-tokenizers.ts";
import { checkContent, checkOptions, formatVersion, numberIn, oneOf, recordOf, text } from "../../options.ts";
import type { TextModel } from "../load-model.ts";
import { rescore } from "../mixture/rescore.ts";
import type { Translator } from "./model.ts";

/** The translations of a sentence that a system proposes, with its scores; the best as a rule first. */
export interface NbestList {
  source: string;
  hypotheses: readonly { text: string; score: number }[];
}

/** Models by their names, which their weights are told apart by. */
export interface RerankModels {
  translators: ReadonlyMap<string, Translator>;
  languageModels: ReadonlyMap<string, TextModel>;
}

/** Weights of what ranks hypotheses, by their names: `system`, `words`, and the models. */
export type RerankWeights = Record<string, number>;

/** The score that the system gave, and the number of words, which balances what all models hold against the long. */
const SYSTEM = "system";
const WORDS = "words";

/** An n-best list, and the features of its hypotheses in the order of `names`. */
export interface ScoredLists {
  names: string[];
  lists: readonly NbestList[];
  features: number[][][];
}

/**
 * What models think of the hypotheses of n-best lists, beside what the system does (Sutskever et al. 2014, §3.7): ln P of a
 * translator's target given its source, and of a language model's text.
 */
export async function scoreLists(
  lists: readonly NbestList[],
  { translators, languageModels }: RerankModels,
  signal?: AbortSignal,
): Promise<ScoredLists> {
  const flat = lists.flatMap(({ source, hypotheses }) => hypotheses.map(({ text }) => ({ source, text })));
  const columns = new Map<string, ArrayLike<number>>([
    [SYSTEM, lists.flatMap(({ hypotheses }) => hypotheses.map(({ score }) => score))],
    [WORDS, flat.map(({ text }) => text.split(/\s+/).filter(Boolean).length)],
  ]);
  const name = (of: string) => {
    if (!columns.has(of)) return of;
    throw new OptionError(`rerank: two features are called ${JSON.stringify(of)}`);
  };
  for (const [of, translator] of translators) {
    const targets = flat.map(({ text }) => text);
    const sources = flat.map(({ source }) => source);
    const logProbs = await translator.score(sources, targets, signal ? { signal } : {});
    // Nothing can be said of what translates a blank line.
    columns.set(
      name(of),
      logProbs.map((logProb) => (Number.isNaN(logProb) ? 0 : logProb)),
    );
  }
  for (const [of, model] of languageModels) {
    const logProbs: number[] = [];
    const hypotheses = flat.map(({ text }, i) => ({ id: String(i), text, where: `hypothesis ${i + 1}` }));
    for await (const { log10Prob } of rescore(model, hypotheses, { independent: true })) {
      signal?.throwIfAborted();
      logProbs.push(log10Prob * Math.LN10);
    }
    columns.set(name(of), logProbs);
  }
  const all = [...columns.values()];
  let at = 0;
  const next = () => {
    const row = all.map((column) => column[at]!);
    at++;
    return row;
  };
  const features = lists.map(({ hypotheses }) => hypotheses.map(next));
  return { names: [...columns.keys()], lists, features };
}

export interface TunedRerank {
  weights: RerankWeights;
  /** BLEU of the first hypotheses, of the best by these weights, and of the best that the lists hold, sentence by sentence. */
  bleu: { first: number; tuned: number; oracle: number };
}

const schema = recordOf({ tokenize: v.optional(oneOf(bleuTokenizers), "13a") });

/** Weights by which the best hypotheses have the highest BLEU, without regard to case. */
export function tuneRerank(
  { names, lists, features }: ScoredLists,
  references: readonly string[],
  options: { tokenize?: BleuTokenizer } = {},
): TunedRerank {
  const { tokenize } = checkOptions("rerank", schema, options);
  if (references.length !== lists.length) {
    throw new DataError(
      `rerank: needs a reference for each of the ${lists.length} lists, got ${references.length}`,
    );
  }
  const metric = new BLEU({ lowercase: true, tokenize });
  const used = [...lists.keys()].filter(
    (i) => lists[i]!.hypotheses.length > 0 && references[i]!.trim() !== "",
  );
  if (used.length === 0) throw new DataError("rerank: no sentence has both a hypothesis and a reference");
  const statistics = used.map((i) =>
    lists[i]!.hypotheses.map(({ text }) => metric.statistics(text, [references[i]!])),
  );
  const sentence = new BLEU({ lowercase: true, tokenize, effectiveOrder: true });
  const total = (choose: (list: number) => number) =>
    metric.score(statistics.map((list, i) => list[choose(i)]!).reduce((a, b) => a.map((x, k) => x + b[k]!)))
      .score;
  const start = names.map((name) => (name === SYSTEM ? 1 : name === WORDS ? 0 : 0.1));
  const tuned = tuneWeights(
    used.map((i, k) => ({ features: features[i]!, statistics: statistics[k]! })),
    (sums) => metric.score(sums).score,
    start,
  );
  return {
    weights: Object.fromEntries(names.map((name, k) => [name, tuned.weights[k]!])),
    bleu: {
      first: total(() => 0),
      tuned: tuned.score,
      oracle: total((i) => {
        const scores = statistics[i]!.map((one) => sentence.score(one).score);
        return scores.indexOf(Math.max(...scores));
      }),
    },
  };
}

/** The best hypothesis of each list by given weights: its place, −1 of an empty one. */
export function rerank({ names, features }: ScoredLists, weights: RerankWeights): number[] {
  for (const name of [...names, ...Object.keys(weights)]) {
    if (names.includes(name) && weights[name] !== undefined) continue;
    const got = Object.keys(weights).join(", ");
    throw new OptionError(`rerank: weights must be of ${names.join(", ")}, got ${got}`, {
      hint: "weights hold for the models that they were tuned with, by the names of their folders",
    });
  }
  return features.map((list) =>
    bestOf(
      list,
      names.map((name) => weights[name]!),
    ),
  );
}

const file = recordOf({ formatVersion: formatVersion(1), weights: v.record(text(), numberIn({})) });

export const weightsToJSON = (weights: RerankWeights) => ({ formatVersion: 1, weights });

export const weightsFromJSON = (json: unknown, name: string): RerankWeights =>
  checkContent(name, file, json).weights;

/** N-best lists as Moses writes them, `0 ||| a dog runs ||| … ||| -4.2`, of these sources; the last field is the score. */
export function parseNbest(lines: readonly string[], sources: readonly string[], name: string): NbestList[] {
  const lists = sources.map((source): { source: string; hypotheses: { text: string; score: number }[] } => ({
    source,
    hypotheses: [],
  }));
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const fields = line.split("|||").map((field) => field.trim());
    const [number, score] = [Number(fields[0]), Number(fields.at(-1))];
    if (fields.length < 3 || !Number.isFinite(score) || fields.at(-1) === "" || !/^\d+$/.test(fields[0]!)) {
      throw new FormatError(
        `${name}: line ${i + 1}: must be "number ||| text ||| score", got ${JSON.stringify(line.slice(0, 60))}`,
      );
    }
    const list = lists[number];
    if (!list) {
      throw new FormatError(
        `${name}: line ${i + 1}: is of sentence ${number}, and there are ${sources.length}, from 0`,
      );
    }
    list.hypotheses.push({ text: fields[1]!, score });
  }
  return lists;
}
