import { noGrad, step } from "../../autograd/step.ts";
import type { ImageTable } from "../../data/images/image-table.ts";
import { chooseSequences, type DecoderState } from "../../decoding/decoder-steps.ts";
import { teacherForced } from "../../decoding/teacher-forcing.ts";
import { captionScores } from "../../metrics/caption-scores.ts";
import { captionWords } from "../../metrics/caption-tokens.ts";
import { perplexity } from "../../metrics/perplexity.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { NO_TARGET } from "../../ops/reduction.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { batchesOf, type CaptionBatch, type Lessons } from "./batches.ts";
import { describeRows } from "./caption.ts";
import type { CaptioningConfig } from "./config.ts";
import type { Captioned, Corpus } from "./corpus.ts";
import type { CaptioningMeasures } from "./events.ts";
import type { CaptioningNetwork } from "./network.ts";
import { decodeCaption, encodeCaption } from "./vocabulary.ts";

/** −ln P of a batch's words, each given those before it and the image: the mean. */
export function captionLoss(
  network: CaptioningNetwork,
  table: ImageTable,
  { source, target, targetLengths }: CaptionBatch,
  labelSmoothing: number,
): { loss: Tensor; tokens: number } {
  const { inputs, targets } = teacherForced(target, targetLengths);
  const { logits } = network.decode(
    tensor(inputs, target.shape),
    encodeOnce(network, table, source.toArray()),
  );
  return {
    loss: crossEntropy(logits, targets, { ignoreIndex: NO_TARGET, labelSmoothing }),
    tokens: targetLengths.reduce((a, b) => a + b),
  };
}

/** What the decoder begins with for some rows, each of which is seen once. */
function encodeOnce(network: CaptioningNetwork, table: ImageTable, rows: ArrayLike<number>): DecoderState {
  const places = new Map<number, number>();
  const chosen = Int32Array.from(rows, (row) => {
    if (!places.has(row)) places.set(row, places.size);
    return places.get(row)!;
  });
  const state = network.encode(table.batch([...places.keys()]));
  return places.size === chosen.length ? state : chooseSequences(state, chosen);
}

/** The part of captions that are one of their image's, word for word. */
export function exactPart(captions: readonly string[], images: Captioned["images"]): number {
  const isExact = (caption: string, i: number) =>
    images[i]!.references.some((reference) => captionWords(reference).join(" ") === caption);
  return captions.filter(isExact).length / captions.length;
}

/** How a network does on what was held out; undefined once aborted. */
export async function measureCaptioning(
  network: CaptioningNetwork,
  { words, valid }: Pick<Corpus, "words"> & { valid: Captioned },
  config: CaptioningConfig,
  batchTokens: number,
  signal?: AbortSignal,
): Promise<CaptioningMeasures | undefined> {
  const held: Lessons = { tokens: [], rows: [] };
  for (const { row, references } of valid.images) {
    for (const reference of references) {
      const tokens = encodeCaption(words, reference);
      if (tokens.length === 1) continue;
      held.tokens.push(tokens);
      held.rows.push(Int32Array.of(row));
    }
  }
  const longest = held.tokens.reduce((most, { length }) => Math.max(most, length), 1);
  const batches = batchesOf(held, Math.max(batchTokens, longest), 0);
  const pause = eventLoopTurns();
  network.eval();
  let sum = 0;
  let count = 0;
  for (let i = 0; i < batches.length; i++) {
    if (signal?.aborted) return undefined;
    const batch = batches.at(0, i);
    const { loss, tokens } = step(() => noGrad(() => captionLoss(network, valid.table, batch, 0)));
    sum += loss.item() * tokens;
    count += tokens;
    await pause();
  }
  const rows = valid.images.map(({ row }) => row);
  const model = { networks: [network], words, config };
  const found = await describeRows(model, valid.table, rows, {}, signal ? { signal } : {});
  if (!found) return undefined;
  const captions = found.map(([best]) => decodeCaption(words, best!.tokens));
  const { bleu, cider } = captionScores(
    captions,
    valid.images.map(({ references }) => references),
  );
  return {
    perplexity: perplexity(sum / count),
    bleu: bleu[3],
    cider,
    exact: exactPart(captions, valid.images),
  };
}
