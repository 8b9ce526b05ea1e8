import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import { SentenceBatches } from "../../data/text/sentence-batches.ts";
import type { LanguageModelBatch } from "../../data/text/stream-batches.ts";
import { normalizeText } from "../../data/text/text.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import type { TokenSequence } from "../../data/text/tokens.ts";
import { DataError } from "../../errors.ts";
import { concat } from "../../ops/slice.ts";
import { checkOptions, recordOf, type SchemasOf, wholeNumber } from "../../options.ts";
import { type Tensor, tensor, zeros } from "../../tensor/tensor.ts";
import { type EvaluateOptions, type Evaluation, evaluateLosses } from "./evaluate.ts";
import type { LanguageModelNetwork } from "./network.ts";

/** What stands for the gap in a text. */
export const GAP = "__";

export interface FillOptions {
  /** How many candidates, the likeliest first. Default 5. */
  top?: number;
}

/** A token for the gap. */
export interface Candidate {
  text: string;
  /** P(token | all that the model reads). */
  prob: number;
  /** What it believes by what stands before the gap alone and, if it reads from both ends, by what stands after it. */
  left: number;
  right?: number;
}

const schema = recordOf({
  top: v.optional(wholeNumber(1, 2 ** 20), 5),
} satisfies SchemasOf<FillOptions>);

/** The likeliest tokens for the gap `__` of a line. */
export function fillGap(
  network: LanguageModelNetwork,
  tokenizer: Tokenizer,
  text: string,
  options: FillOptions,
): Candidate[] {
  const { top } = checkOptions("LanguageModel.fill", schema, options);
  const [before, after, ...more] = normalizeText(text, "text").split(GAP);
  if (after === undefined || more.length > 0) {
    const gaps = more.length + (after === undefined ? 0 : 1);
    throw new DataError(`text: must have one gap, ${GAP}, got ${gaps || "none"}`);
  }
  const end = tokenizer.lineBreak;
  const ends = end === undefined ? [] : [end];
  const left = [...ends, ...tokenizer.encode(before!, "text")];
  const right = [...tokenizer.encode(after, "text"), ...ends];
  if (left.length === 0) {
    throw new DataError("text: must have something before the gap, got nothing");
  }
  network.eval();
  const [both, ...sides] = step(() =>
    noGrad(() => beliefs(network, left, right).map((logits) => softmax(logits.toArray()))),
  ) as Float64Array[];
  return [...both!.keys()]
    .filter((token) => token !== end && token !== tokenizer.unknown)
    .sort((a, b) => both![b]! - both![a]!)
    .slice(0, top)
    .map((token) => ({
      text: tokenizer.name(token),
      prob: both![token]!,
      left: sides[0]![token]!,
      ...(sides[1] && { right: sides[1][token]! }),
    }));
}

/** Logits [V] of the gap by all that is known, by the left and, if the network reads from both ends, by the right. */
function beliefs(network: LanguageModelNetwork, left: number[], right: number[]): Tensor[] {
  if (!network.backward) {
    const { logits } = network.forward(tensor(Int32Array.from(left), [left.length, 1]));
    const V = network.config.vocabularySize;
    const last = tensor(logits.toArray().slice(-V), [V]);
    return [last, last];
  }
  // What stands in the gap makes no difference to what is known of it.
  const line = Int32Array.from([...left, left[0]!, ...right]);
  const shape = [line.length - 1, 1];
  const known = network.bothSides({
    inputs: tensor(line.subarray(0, -1), shape),
    targets: tensor(line.subarray(1), shape),
  });
  const H = network.config.hiddenSize;
  const at = left.length - 1;
  const [fromLeft, fromRight] = known.map((side) =>
    tensor(side.toArray().slice(at * H, (at + 1) * H), [1, H]),
  ) as [Tensor, Tensor];
  const nothing = zeros([1, H]);
  const pairs = [
    [fromLeft, fromRight],
    [fromLeft, nothing],
    [nothing, fromRight],
  ];
  return pairs.map((pair) => network.output.forward(concat(pair, 1)));
}

function softmax(logits: ArrayLike<number>): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) max = Math.max(max, logits[i]!);
  const values = Float64Array.from(logits, (value) => Math.exp(value - max));
  const sum = values.reduce((a, b) => a + b);
  return values.map((value) => value / sum);
}

/** Sentences that are read at once. */
const BATCH = 16;

function* sentences(tokens: TokenSequence, lineBreak: number): Generator<LanguageModelBatch> {
  const batches = new SentenceBatches(tokens, { batchSize: BATCH, lineBreak });
  for (let i = 0; i < batches.length; i++) yield batches.at(0, i);
}

/** −ln P of each token but line breaks; words that are unknown share theirs as `shareAmongRare` has it. */
function* gapLosses(
  network: LanguageModelNetwork,
  tokens: TokenSequence,
  lineBreak: number,
  { unknown, rareWords = 1 }: Tokenizer,
): Generator<Float32Array> {
  const share = Math.log(rareWords);
  for (const batch of sentences(tokens, lineBreak)) {
    const { loss } = step(() => noGrad(() => network.loss(batch, undefined, { reduction: "none" })));
    const targets = batch.targets.toArray();
    yield (loss.toArray() as Float32Array)
      .map((loss, i) => (targets[i] === unknown ? loss + share : loss))
      .filter((_, i) => targets[i]! >= 0 && targets[i] !== lineBreak);
  }
}

/** 1 / the rank of each token but line breaks among all that might stand in its place. */
function* reciprocalRanks(
  network: LanguageModelNetwork,
  tokens: TokenSequence,
  lineBreak: number,
): Generator<Float32Array> {
  const V = network.config.vocabularySize;
  network.eval();
  for (const { inputs, targets, lengths } of sentences(tokens, lineBreak)) {
    const logits = step(() =>
      noGrad(() =>
        network.backward
          ? network.output.forward(concat(network.bothSides({ inputs, targets, lengths }), 2))
          : network.forward(inputs).logits,
      ),
    ).toArray();
    const right = targets.toArray();
    const ranks: number[] = [];
    for (const [row, target] of right.entries()) {
      if (target < 0 || target === lineBreak) continue;
      const own = logits[row * V + target]!;
      let rank = 1;
      for (let i = row * V; i < (row + 1) * V; i++) if (logits[i]! > own) rank++;
      ranks.push(1 / rank);
    }
    yield Float32Array.from(ranks);
  }
}

/**
 * A network measured on gaps: of each line every token in turn, given all that the network reads of the others. One that
 * reads forwards begins each line from a state of zeros.
 */
export async function evaluateGaps(
  network: LanguageModelNetwork,
  tokens: TokenSequence,
  tokenizer: Tokenizer,
  { lineBreak, ranks = false, signal, onProgress }: GapOptions,
): Promise<Evaluation | undefined> {
  const of = countGaps(tokens, lineBreak);
  const losses = gapLosses(network, tokens, lineBreak, tokenizer);
  const found = await evaluateLosses(losses, of, signal, onProgress);
  if (!found || !ranks) return found;
  const mean = await evaluateLosses(reciprocalRanks(network, tokens, lineBreak), of, signal, onProgress);
  return mean && { ...found, meanReciprocalRank: mean.loss };
}

interface GapOptions {
  lineBreak: number;
  ranks?: boolean;
  signal: AbortSignal | undefined;
  onProgress?: EvaluateOptions["onProgress"] | undefined;
}

/** How many tokens have a place among others: all but the first and line breaks. */
function countGaps(tokens: TokenSequence, lineBreak: number): number {
  let count = 0;
  for (let from = 1; from < tokens.length; from += 2 ** 20) {
    for (const token of tokens.slice(from, Math.min(from + 2 ** 20, tokens.length))) {
      if (token !== lineBreak) count++;
    }
  }
  return count;
}
