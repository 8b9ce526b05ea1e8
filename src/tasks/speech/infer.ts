import { noGrad, step } from "../../autograd/step.ts";
import type { Frames } from "../../data/audio/context.ts";
import { logSoftmax } from "../../ops/softmax.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { padWindows } from "./batches.ts";
import { concatenate } from "./front-end.ts";
import type { SpeechNetwork } from "./network.ts";

/** Steps that go through the network at once; what is longer goes in parts. */
const PART = 2000;
/** Steps on either side of a part that the network reads with it. */
const CONTEXT = 200;
/** Utterances that go through the network at once. */
const BATCH = 16;

/** ln P of every label at every step, [T, classes], of each one's windows; undefined once aborted. */
export async function allLogProbs(
  network: SpeechNetwork,
  windows: readonly Frames[],
  signal?: AbortSignal,
  onProgress?: (done: number) => void,
): Promise<Float32Array[] | undefined> {
  const pause = eventLoopTurns();
  const lengthOf = (i: number) => windows[i]!.values.length / windows[i]!.size;
  const order = Array.from(windows.keys()).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  const out: Float32Array[] = new Array(windows.length);
  network.eval();
  for (let from = 0; from < order.length; ) {
    if (signal?.aborted) return undefined;
    const long = lengthOf(order[from]!) > PART;
    const chosen = order.slice(from, from + (long ? 1 : BATCH)).filter((i) => long || lengthOf(i) <= PART);
    if (long) out[chosen[0]!] = await longLogProbs(network, windows[chosen[0]!]!);
    else {
      const all = batchLogProbs(
        network,
        chosen.map((i) => windows[i]!),
      );
      for (const [n, i] of chosen.entries()) out[i] = all[n]!;
    }
    from += chosen.length;
    onProgress?.(from);
    await pause();
  }
  return out;
}

function batchLogProbs(network: SpeechNetwork, windows: readonly Frames[]): Float32Array[] {
  const N = windows.length;
  const V = network.config.classes;
  const { values } = step(() =>
    noGrad(() => {
      const { windows: x, lengths } = padWindows(windows);
      return { values: logSoftmax(network.forward(x, lengths)) };
    }),
  );
  const all = values.toArray();
  return windows.map(({ values: own, size }, n) => {
    const T = own.length / size;
    const out = new Float32Array(T * V);
    for (let t = 0; t < T; t++) out.set(all.subarray((t * N + n) * V, (t * N + n + 1) * V), t * V);
    return out;
  });
}

/** Part by part, so that an hour takes no more memory in the engine than a minute. */
async function longLogProbs(network: SpeechNetwork, windows: Frames): Promise<Float32Array> {
  const parts = new LogProbsInParts(network);
  await parts.push(windows);
  return parts.end();
}

/** ln P of every label at every step of windows that come in pieces; how they are cut does not show. */
export class LogProbsInParts {
  readonly #network: SpeechNetwork;
  readonly #pause = eventLoopTurns();
  readonly #done: Float32Array[] = [];
  /** Windows from step `first` on, of which those from step `from` on have yet to be said anything about. */
  #held: Float32Array[] = [];
  #size = 0;
  #first = 0;
  #from = 0;
  /** Steps so far. */
  steps = 0;

  constructor(network: SpeechNetwork) {
    this.#network = network.eval();
  }

  async push({ values, size }: Frames): Promise<void> {
    if (values.length === 0) return;
    this.#held.push(values);
    this.#size = size;
    this.steps += values.length / size;
    while (this.steps >= this.#from + PART + CONTEXT) await this.#readPart();
  }

  /** Of all steps, [T, classes]. */
  async end(): Promise<Float32Array> {
    while (this.#from < this.steps) await this.#readPart();
    return concatenate(this.#done);
  }

  async #readPart(): Promise<void> {
    const V = this.#network.config.classes;
    const [size, from] = [this.#size, this.#from];
    const to = Math.min(this.steps, from + PART);
    const [first, end] = [Math.max(0, from - CONTEXT), Math.min(this.steps, to + CONTEXT)];
    const held = this.#held.length === 1 ? this.#held[0]! : concatenate(this.#held);
    const values = held.subarray((first - this.#first) * size, (end - this.#first) * size);
    const [part] = batchLogProbs(this.#network, [{ values, size }]);
    this.#done.push(part!.slice((from - first) * V, (to - first) * V));
    const next = Math.max(0, to - CONTEXT);
    this.#held = [held.subarray((next - this.#first) * size)];
    this.#first = next;
    this.#from = to;
    await this.#pause();
  }
}
