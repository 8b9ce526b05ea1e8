import { noGrad, step } from "../../autograd/step.ts";
import type { PairBatch } from "../../data/text/translation/pair-batches.ts";
import { teacherForced } from "../../decoding/teacher-forcing.ts";
import { BLEU } from "../../metrics/bleu.ts";
import { perplexity } from "../../metrics/perplexity.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { NO_TARGET } from "../../ops/reduction.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { batchesOf, type Corpus } from "./corpus.ts";
import type { TranslationMeasures } from "./events.ts";
import { decodeSentence } from "./languages.ts";
import type { TranslationNetwork } from "./network.ts";
import { mixInOwnWords } from "./scheduled-sampling.ts";
import { translateTokens } from "./translate.ts";

export interface PairLossOptions {
  /** Default 0. */
  labelSmoothing?: number;
  /** The part of the decoder's inputs that are its own words, instead of the target's. Default 0. */
  ownWords?: number;
}

/** −ln P of a batch's targets, each token's given those before it: the mean. */
export function pairLoss(
  network: TranslationNetwork,
  batch: PairBatch,
  { labelSmoothing = 0, ownWords = 0 }: PairLossOptions = {},
): { loss: Tensor; tokens: number } {
  const { logits, targets } = read(network, batch, ownWords);
  return {
    loss: crossEntropy(logits, targets, { ignoreIndex: NO_TARGET, labelSmoothing }),
    tokens: batch.targetLengths.reduce((a, b) => a + b),
  };
}

/** The same, of each token: [T, N]. */
export function targetLosses(network: TranslationNetwork, batch: PairBatch): Tensor {
  const { logits, targets } = read(network, batch, 0);
  return crossEntropy(logits, targets, { ignoreIndex: NO_TARGET, reduction: "none" });
}

/** What the network makes of a batch, and what it should. */
function read(
  network: TranslationNetwork,
  { source, target, sourceLengths, targetLengths }: PairBatch,
  ownWords: number,
) {
  const { inputs, targets } = teacherForced(target, targetLengths);
  const start = network.encode(source, Int32Array.from(sourceLengths));
  if (ownWords > 0) mixInOwnWords(network, inputs, start, ownWords);
  const { logits } = network.decode(tensor(inputs, target.shape), start);
  return { logits, targets };
}

/** How BLEU cuts these sentences into words: Chinese, in which there are no blanks, by characters. */
function tokenizerOf(sentences: readonly string[]): "13a" | "zh" {
  const chinese = sentences.filter((sentence) => /\p{Script=Han}/u.test(sentence));
  return 2 * chinese.length > sentences.length ? "zh" : "13a";
}

/** How a network does on what was held out; undefined once aborted. */
export async function measureTranslation(
  network: TranslationNetwork,
  { valid, languages }: Corpus,
  batchTokens: number,
  signal?: AbortSignal,
): Promise<TranslationMeasures | undefined> {
  const longest = Math.max(...[...valid.sourceTokens, ...valid.targetTokens].map(({ length }) => length));
  const batches = batchesOf(valid, Math.max(batchTokens, longest), 0);
  const pause = eventLoopTurns();
  network.eval();
  let sum = 0;
  let count = 0;
  for (let i = 0; i < batches.length; i++) {
    if (signal?.aborted) return undefined;
    const batch = batches.at(0, i);
    const { loss, tokens } = step(() => noGrad(() => pairLoss(network, batch)));
    sum += loss.item() * tokens;
    count += tokens;
    await pause();
  }
  const prefix = new Int32Array(0);
  const sources = valid.sourceTokens.map((tokens) => ({ tokens, prefix }));
  const found = await translateTokens([network], sources, {}, signal ? { signal } : {});
  if (!found) return undefined;
  const texts = found.map(([best]) => decodeSentence(languages.target, best!.tokens));
  const isExact = (text: string, i: number) => text === valid.target[i]!.replace(/\s+/g, " ").trim();
  return {
    perplexity: perplexity(sum / count),
    bleu: new BLEU({ lowercase: true, tokenize: tokenizerOf(valid.target) }).corpusScore(texts, [
      valid.target,
    ]).score,
    exact: texts.filter(isExact).length / texts.length,
  };
}
