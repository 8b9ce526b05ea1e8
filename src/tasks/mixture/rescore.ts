import * as v from "valibot";
import { normalizeText } from "../../data/text/text.ts";
import { splitWords, UNK } from "../../data/text/words.ts";
import { DataError, OptionError } from "../../errors.ts";
import { checkOptions, numberIn, recordOf, type SchemasOf, trueOrFalse } from "../../options.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import type { TextModel } from "../load-model.ts";
import { type Scorer, scorerOf } from "./scorer.ts";

/** A hypothesis of what was said, or written, in an utterance. */
export interface Hypothesis {
  /** Of the utterance; its hypotheses stand together, the best one first. */
  id: string;
  text: string;
  /** Where it stands, for errors. */
  where?: string;
}

export interface RescoreOptions {
  /** A model to mix in, an n-gram as a rule. */
  mixWith?: TextModel;
  /** The weight of the first model in the mixture. Default 0.75. */
  lambda?: number;
  /** Whether each utterance begins anew, instead of following the one before. Default false. */
  independent?: boolean;
  /** log10 P of a word that no model knows. Default −5. */
  oovLogProb?: number;
}

export interface Rescored {
  id: string;
  text: string;
  /** log10 P of the words and of the end of the line, as the toolkit has it. */
  log10Prob: number;
  /** How many were scored: words, and the end. */
  tokens: number;
  /** How many no model knows. */
  unknown: number;
}

const schema = recordOf({
  mixWith: v.optional(
    v.custom<TextModel>(
      (x) => (x as TextModel | null)?.tokenizer !== undefined,
      "must be a LanguageModel or an NgramModel",
    ),
  ),
  lambda: v.optional(numberIn({ from: 0, to: 1 }), 0.75),
  independent: v.optional(trueOrFalse(), false),
  oovLogProb: v.optional(numberIn({ to: 0 }), -5),
} satisfies SchemasOf<RescoreOptions>);

/**
 * Scores the hypotheses of n-best lists, as the RNNLM toolkit does: those of one utterance all follow what the first, the
 * best, hypothesis of the utterance before left behind. A word that a model does not know is read as `<unk>`; where the
 * other knows it, that one's probability counts alone, and where none does, `oovLogProb`.
 */
export async function* rescore(
  model: TextModel,
  hypotheses: AsyncIterable<Hypothesis> | Iterable<Hypothesis>,
  options: RescoreOptions = {},
): AsyncGenerator<Rescored> {
  const { mixWith, lambda, independent, oovLogProb } = checkOptions("rescore", schema, options);
  if (options.lambda !== undefined && !mixWith) {
    throw new OptionError("rescore: lambda is the weight of a mixture, and mixWith gives none");
  }
  const parts = mixWith ? [new Part(model, lambda), new Part(mixWith, 1 - lambda)] : [new Part(model, 1)];
  const oov = oovLogProb * Math.LN10;
  const pause = eventLoopTurns();
  let utterance: string | undefined;
  for await (const hypothesis of hypotheses) {
    const first = hypothesis.id !== utterance;
    if (first) for (const part of parts) part.begin(independent);
    utterance = hypothesis.id;
    const scored = parts.map((part) => part.score(hypothesis, first));
    const tokens = scored[0]!.length;
    if (scored.some(({ length }) => length !== tokens)) {
      throw new DataError(`${whereOf(hypothesis)}: the models take it for different numbers of tokens`);
    }
    let logProb = 0;
    let unknown = 0;
    for (let i = 0; i < tokens; i++) {
      const known = scored.flatMap((logProbs, k) => (logProbs[i]! <= 0 ? [k] : []));
      if (known.length === 0) unknown++;
      logProb += known.length === 0 ? oov : mix(known.map((k) => [parts[k]!.weight, scored[k]![i]!]));
    }
    const { id, text } = hypothesis;
    await pause();
    yield { id, text, log10Prob: logProb / Math.LN10, tokens, unknown };
  }
}

/** ln Σ w P; of one alone, without its weight. */
function mix(models: [weight: number, logProb: number][]): number {
  if (models.length === 1) return models[0]![1];
  return Math.log(models.reduce((sum, [weight, logProb]) => sum + weight * Math.exp(logProb), 0));
}

const whereOf = ({ where, id }: Hypothesis) => where ?? `hypothesis of ${id}`;

/** A model, and where it is in the utterances. */
class Part {
  readonly weight: number;
  readonly #model: TextModel;
  readonly #scorer: Scorer;
  /** Before the hypotheses of this utterance, and behind the first of them. */
  #before: unknown;
  #after: unknown;

  constructor(model: TextModel, weight: number) {
    this.weight = weight;
    this.#model = model;
    this.#scorer = scorerOf(model);
    this.#after = this.#scorer.start;
  }

  begin(independent: boolean): void {
    this.#before = independent ? this.#scorer.start : this.#after;
  }

  /** ln P of each token and of the end; NaN of what is not known. */
  score(hypothesis: Hypothesis, first: boolean): Float64Array {
    const { tokenizer } = this.#model;
    const where = whereOf(hypothesis);
    const text = normalizeText(hypothesis.text.trim(), where);
    const tokens = tokenizer.encode(`${text}\n`, where);
    const { logProbs, context } = this.#scorer.score(tokens, this.#before);
    if (first) this.#after = context;
    for (const i of this.#unknown(text, tokens)) logProbs[i] = Number.NaN;
    return logProbs;
  }

  /** The places of words that are not in the vocabulary; `<unk>` itself is. */
  #unknown(text: string, tokens: Int32Array): number[] {
    const { unknown, split } = this.#model.tokenizer as { unknown?: number; split?: "whitespace" };
    const places = [...tokens.keys()].filter((i) => tokens[i] === unknown);
    if (unknown === undefined || places.length === 0) return [];
    const words = splitWords(text, split ?? "whitespace");
    return places.filter((i) => words[i] !== UNK);
  }
}
