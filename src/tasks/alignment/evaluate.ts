import { noGrad, step } from "../../autograd/step.ts";
import { padded } from "../../data/padded.ts";
import type { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { BOUNDARY } from "../../decoding/decoder-steps.ts";
import { crossRetrieval, type Retrieval } from "../../metrics/retrieval.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import type { Captioned } from "../captioning/corpus.ts";
import { encodeCaption } from "../captioning/vocabulary.ts";
import { type AlignmentNetwork, imageSentenceScores } from "./network.ts";

/** How well images and sentences find each other. */
export interface AlignmentMeasures {
  imageFromSentence: Retrieval;
  sentenceFromImage: Retrieval;
}

/** Sentences that are compared with all images at a time, and images whose regions are made at a time. */
const SENTENCES = 32;
const IMAGES = 256;

/** A sentence's words, without the boundary at their end. */
export const wordsOf = (words: WordTokenizer, sentence: string): Int32Array =>
  encodeCaption(words, sentence).slice(0, -1);

/** Sentences side by side: [T, N] */
export function sideBySide(sentences: readonly Int32Array[]): { tokens: Tensor; lengths: Int32Array } {
  return {
    tokens: padded(sentences, BOUNDARY),
    lengths: Int32Array.from(sentences, ({ length }) => length),
  };
}

/** Compares all images with their sentences, or with the first of each; undefined once aborted. */
export async function measureAlignment(
  { network, words }: { network: AlignmentNetwork; words: WordTokenizer },
  { table, images }: Captioned,
  {
    firstAlone = false,
    signal,
    onProgress,
  }: {
    firstAlone?: boolean;
    signal?: AbortSignal | undefined;
    onProgress?: ((event: { sentences: number; of: number }) => void) | undefined;
  } = {},
): Promise<(AlignmentMeasures & { sentences: number }) | undefined> {
  network.eval();
  const pause = eventLoopTurns();
  const sentences: Int32Array[] = [];
  const imageOf: number[] = [];
  for (const [i, { references }] of images.entries()) {
    for (const reference of firstAlone ? references.slice(0, 1) : references) {
      const tokens = wordsOf(words, reference);
      if (tokens.length === 0) continue;
      sentences.push(tokens);
      imageOf.push(i);
    }
  }
  const regions: Tensor[] = [];
  for (let from = 0; from < images.length; from += IMAGES) {
    const rows = images.slice(from, from + IMAGES).map(({ row }) => row);
    regions.push(step(() => noGrad(() => network.regions(table.batch(rows)))));
    await pause();
  }
  const scores: Float32Array[] = [];
  for (let from = 0; from < sentences.length; from += SENTENCES) {
    if (signal?.aborted) return undefined;
    const { tokens, lengths } = sideBySide(sentences.slice(from, from + SENTENCES));
    const found = step(() =>
      noGrad(() => {
        const read = network.words(tokens, lengths);
        return regions.map((part) => imageSentenceScores(part, read, lengths).toArray() as Float32Array);
      }),
    );
    for (let s = 0; s < lengths.length; s++) {
      const row = found.flatMap((part) => Array.from(part).filter((_, i) => i % lengths.length === s));
      scores.push(Float32Array.from(row));
    }
    onProgress?.({ sentences: scores.length, of: sentences.length });
    await pause();
  }
  return { ...crossRetrieval(scores, imageOf), sentences: sentences.length };
}
