import { noGrad, step } from "../../autograd/step.ts";
import { ctcBestPath } from "../../decoding/ctc/alignment.ts";
import { characterErrorRate, wordErrorRate } from "../../metrics/error-rate.ts";
import { ctcLoss } from "../../ops/ctc-loss.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Alphabet } from "./alphabet.ts";
import { padTargets } from "./batches.ts";
import type { Item } from "./dataset.ts";
import type { SpeechMeasures } from "./events.ts";
import type { FrontEnd } from "./front-end.ts";
import { allLogProbs } from "./infer.ts";
import type { SpeechNetwork } from "./network.ts";

/** How a network does on what was held out, by best paths; undefined once aborted. */
export async function measureSpeech(
  network: SpeechNetwork,
  items: readonly Item[],
  { frontEnd, alphabet }: { frontEnd: FrontEnd; alphabet: Alphabet },
  signal?: AbortSignal,
): Promise<SpeechMeasures | undefined> {
  const windows = items.map(({ variants }) => frontEnd.windows(variants[0]!));
  const found = await allLogProbs(network, windows, signal);
  if (!found) return undefined;
  const classes = alphabet.labels.length;
  const texts = found.map((logProbs) =>
    alphabet.spell(ctcBestPath(logProbs, classes).map(({ label }) => label)),
  );
  const losses = found.map((logProbs, i) => lossOf(logProbs, items[i]!.labels!, classes));
  const references = items.map(({ transcript }) => transcript);
  return {
    wer: wordErrorRate(references, texts).rate,
    cer: characterErrorRate(references, texts).rate,
    ctcLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
  };
}

/** −ln P of the labels, for each of them. */
function lossOf(logProbs: Float32Array, labels: Int32Array, classes: number): number {
  const T = logProbs.length / classes;
  const { loss } = step(() =>
    noGrad(() => {
      const { targets, targetLengths } = padTargets([labels]);
      const logits = tensor(logProbs, [T, 1, classes]);
      return { loss: ctcLoss(logits, targets, tensor(Int32Array.of(T)), targetLengths) };
    }),
  );
  return loss.item();
}
