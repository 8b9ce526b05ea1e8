import { DataError } from "../../errors.ts";
import { NO_TARGET } from "../../ops/reduction.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Batches } from "../batches.ts";
import type { LanguageModelBatch } from "./stream-batches.ts";
import type { TokenSequence } from "./tokens.ts";

const SCANNED_AT_A_TIME = 2 ** 20;

/**
 * Sentences that have nothing to do with one another: each begins at a line break, whatever stands before the first one
 * is a sentence too, and N of them, as they follow in the text, are a batch, the shorter ones padded.
 */
export class SentenceBatches implements Batches<LanguageModelBatch> {
  readonly batchSize: number;
  readonly #tokens: TokenSequence;
  /** Where each begins; the last token of a text begins none, having nothing to predict. */
  readonly #starts: number[] = [];

  constructor(
    tokens: TokenSequence,
    { batchSize, lineBreak }: { batchSize: number; lineBreak: number },
    what = "text",
  ) {
    this.batchSize = batchSize;
    this.#tokens = tokens;
    const end = tokens.length - 1;
    if (end < 1) throw new DataError(`${what}: must have 2 tokens or more, got ${tokens.length}`);
    for (let from = 0; from < end; from += SCANNED_AT_A_TIME) {
      tokens.slice(from, Math.min(from + SCANNED_AT_A_TIME, end)).forEach((token, i) => {
        if (token === lineBreak || from + i === 0) this.#starts.push(from + i);
      });
    }
  }

  get length(): number {
    return Math.ceil(this.#starts.length / this.batchSize);
  }

  at(_epoch: number, index: number): LanguageModelBatch {
    const first = index * this.batchSize;
    const end = this.#tokens.length - 1;
    const sentences = this.#starts
      .slice(first, first + this.batchSize)
      .map((from, i) => this.#tokens.slice(from, (this.#starts[first + i + 1] ?? end) + 1));
    const n = sentences.length;
    const lengths = Int32Array.from(sentences, (sentence) => sentence.length - 1);
    const steps = lengths.reduce((a, b) => Math.max(a, b));
    const inputs = new Int32Array(steps * n);
    const targets = new Int32Array(steps * n).fill(NO_TARGET);
    for (const [column, sentence] of sentences.entries()) {
      for (let t = 0; t < lengths[column]!; t++) {
        inputs[t * n + column] = sentence[t]!;
        targets[t * n + column] = sentence[t + 1]!;
      }
    }
    return {
      inputs: tensor(inputs, [steps, n]),
      targets: tensor(targets, [steps, n]),
      first: true,
      lengths: tensor(lengths),
      count: lengths.reduce((a, b) => a + b),
    };
  }
}
