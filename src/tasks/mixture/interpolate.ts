import * as v from "valibot";
import { DataError, OptionError } from "../../errors.ts";
import { checkWeights, mixLogProbs, mixtureWeights } from "../../metrics/mixture.ts";
import { bitsPerToken, perplexity } from "../../metrics/perplexity.ts";
import { checkOptions, functionOf, recordOf, type SchemasOf, text } from "../../options.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { cacheFolder } from "../language-model/choices.ts";
import { readTokens } from "../language-model/data.ts";
import type { Evaluation } from "../language-model/evaluate.ts";
import { type TextSource, textSource } from "../language-model/options.ts";
import { nameOf } from "../language-model/sources.ts";
import type { TextModel } from "../load-model.ts";
import { checkSameTokens } from "./agreement.ts";
import { scorerOf } from "./scorer.ts";

/** Tokens scored between two turns of the event loop. */
const CHUNK = 2 ** 12;

export interface InterpolateOptions {
  /** Text that the weights are tuned on. */
  valid?: TextSource;
  /** Text that the mixture is evaluated on. */
  test?: TextSource;
  /** The weights, instead of those tuned on `valid`. */
  weights?: readonly number[];
  /** What to call the models in an error. Default 1, 2, … */
  names?: readonly string[];
  /** Where the tokens of a text too large for memory are kept, as in a training. */
  cache?: string | false;
  /** How many tokens a model has scored, of how many. */
  onProgress?: (event: { model: string; tokens: number; of: number }) => void;
  /** Ends the work with the signal's reason. */
  signal?: AbortSignal;
}

/** A text, by each model alone and by their mixture. */
export interface MixtureEvaluation extends Evaluation {
  models: Evaluation[];
}

export interface Interpolation {
  /** One for each model; their sum is 1. */
  weights: number[];
  valid?: MixtureEvaluation;
  test?: MixtureEvaluation;
}

const schema = recordOf({
  valid: v.optional(textSource),
  test: v.optional(textSource),
  weights: v.optional(v.array(v.number("must be a number"), "must be an array of numbers")),
  names: v.optional(v.array(text(), "must be an array of strings")),
  cache: v.optional(cacheFolder),
  onProgress: v.optional(functionOf<NonNullable<InterpolateOptions["onProgress"]>>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<InterpolateOptions>);

type Resolved = v.InferOutput<typeof schema>;

/**
 * Mixes models linearly, P = Σ w_k P_k, recurrent ones and n-grams alike. The weights are those that are best for `valid`.
 * The models must take a text for the same tokens. Every token is scored, the first as what follows a line break.
 */
export async function interpolate(
  models: readonly TextModel[],
  options: InterpolateOptions = {},
): Promise<Interpolation> {
  const checked = checkOptions("interpolate", schema, options);
  const { names = models.map((_, i) => `model ${i + 1}`), valid, test } = checked;
  if (models.length < 2) throw new OptionError(`interpolate: needs 2 models or more, got ${models.length}`);
  if (!valid && !checked.weights) {
    throw new OptionError("interpolate: needs valid, the text to tune the weights on, or the weights");
  }
  if (checked.weights) checkWeights(checked.weights, models.length);
  checkSameTokens(
    models.map(({ tokenizer }) => tokenizer),
    names,
  );
  const score = async (source: TextSource) => {
    const all: Float64Array[] = [];
    for (const [i, model] of models.entries()) all.push(await logProbsOf(model, names[i]!, source, checked));
    return all;
  };
  const ofValid = valid === undefined ? undefined : await score(valid);
  const weights = checked.weights ?? mixtureWeights(ofValid!);
  const ofTest = test === undefined ? undefined : await score(test);
  return {
    weights,
    ...(ofValid && { valid: evaluateMixture(ofValid, weights) }),
    ...(ofTest && { test: evaluateMixture(ofTest, weights) }),
  };
}

/** ln P of each token of a text. */
async function logProbsOf(
  model: TextModel,
  name: string,
  source: TextSource,
  { cache, signal, onProgress }: Resolved,
): Promise<Float64Array> {
  const scorer = scorerOf(model);
  const pause = eventLoopTurns();
  const { tokens, close } = await readTokens(source, model.tokenizer, { cache, signal });
  try {
    const of = tokens.length;
    if (of === 0) throw new DataError(`${nameOf(source)}: must have a token to score, got none`);
    const all = new Float64Array(of);
    let context = scorer.start;
    for (let from = 0; from < of; from += CHUNK) {
      signal?.throwIfAborted();
      const scored = scorer.score(tokens.slice(from, Math.min(from + CHUNK, of)), context);
      all.set(scored.logProbs, from);
      context = scored.context;
      onProgress?.({ model: name, tokens: from + scored.logProbs.length, of });
      await pause();
    }
    return all;
  } finally {
    close();
  }
}

function evaluateMixture(logProbs: Float64Array[], weights: readonly number[]): MixtureEvaluation {
  return { ...evaluationOf(mixLogProbs(logProbs, weights)), models: logProbs.map(evaluationOf) };
}

function evaluationOf(logProbs: Float64Array): Evaluation {
  const loss = -logProbs.reduce((sum, logProb) => sum + logProb, 0) / logProbs.length;
  return { tokens: logProbs.length, loss, perplexity: perplexity(loss), bitsPerToken: bitsPerToken(loss) };
}
