import { DataError } from "../../errors.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Batches } from "../batches.ts";
import type { TokenSequence } from "./tokens.ts";

/** A window of a token stream: what to read, and what comes next. */
export interface LanguageModelBatch {
  /** int32 [T, N] */
  inputs: Tensor;
  /** int32 [T, N], the token after each input. */
  targets: Tensor;
  /** Whether streams begin here, so that there is no state to carry over. */
  first: boolean;
  /** Of the inputs, those that windows before had already and that have no targets here. Default 0. */
  history?: number;
  /** After how many inputs the next window begins. Default: all. */
  carry?: number;
  /** int32 [N], where the streams are of different lengths: how many inputs there are; the others have no target. */
  lengths?: Tensor;
  /** How many targets there are. Default: all. */
  count?: number;
}

/**
 * The layout of stateful truncated back-propagation through time: the text is cut into N streams of equal length,
 * read side by side in windows of T tokens, and the state at the end of a window is where the next one begins. The
 * last window of an epoch may be shorter. Left out are the fewer than N tokens that no equal cut can place.
 */
export class LanguageModelBatches implements Batches<LanguageModelBatch> {
  readonly batchSize: number;
  readonly seqLength: number;
  /** Tokens predicted per stream and epoch. */
  readonly streamLength: number;
  readonly #tokens: TokenSequence;
  readonly #bptt: number;

  /** `bptt`: how many tokens before a window are read once more, for gradients to flow back through. */
  constructor(
    tokens: TokenSequence,
    { batchSize, seqLength, bptt = 0 }: { batchSize: number; seqLength: number; bptt?: number },
    what = "text",
  ) {
    checkLength(tokens, { batchSize, seqLength }, what);
    this.batchSize = batchSize;
    this.seqLength = seqLength;
    this.streamLength = Math.floor((tokens.length - 1) / batchSize);
    this.#tokens = tokens;
    this.#bptt = bptt;
  }

  get length(): number {
    return Math.ceil(this.streamLength / this.seqLength);
  }

  /** Tokens predicted per epoch. */
  get tokens(): number {
    return this.streamLength * this.batchSize;
  }

  at(_epoch: number, index: number): LanguageModelBatch {
    const { batchSize: n, seqLength, streamLength } = this;
    const from = index * seqLength;
    const steps = Math.min(seqLength, streamLength - from);
    const history = Math.min(this.#bptt, from);
    const inputs = new Int32Array((history + steps) * n);
    const targets = new Int32Array((history + steps) * n);
    for (let stream = 0; stream < n; stream++) {
      const at = stream * streamLength + from;
      placeWindow(this.#tokens.slice(at - history, at + steps + 1), stream, inputs, targets);
    }
    const next = from + seqLength - Math.min(this.#bptt, from + seqLength);
    return {
      inputs: tensor(inputs, [history + steps, n]),
      targets: tensor(targets.subarray(history * n), [steps, n]),
      first: index === 0,
      // The next window begins `bptt` tokens before its first target, or at the beginning.
      ...(this.#bptt > 0 && { history, carry: Math.min(next - from, steps) + history }),
    };
  }
}

/** Makes a window of T + 1 tokens the column of a batch: T to read, and what comes after each. */
export function placeWindow(
  window: Int32Array,
  column: number,
  inputs: Int32Array,
  targets: Int32Array,
): void {
  const steps = window.length - 1;
  const columns = inputs.length / steps;
  for (let t = 0; t < steps; t++) {
    inputs[t * columns + column] = window[t]!;
    targets[t * columns + column] = window[t + 1]!;
  }
}

/** Refuses a text that is shorter than one batch. */
export function checkLength(
  tokens: TokenSequence,
  { batchSize, seqLength }: { batchSize: number; seqLength: number },
  what: string,
): void {
  const needed = batchSize * seqLength + 1;
  if (tokens.length < needed) {
    const fits = Math.floor((tokens.length - 1) / seqLength);
    throw new DataError(
      `${what}: ${tokens.length} tokens are too few for one batch of ${batchSize} streams of ${seqLength}, which takes ${needed}`,
      {
        hint:
          fits >= 1
            ? `use a longer text, or a batch size of at most ${fits}`
            : "use a longer text, or a smaller batch size and sequence length",
      },
    );
  }
}
