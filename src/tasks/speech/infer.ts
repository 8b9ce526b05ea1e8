import { noGrad, step } from "../../autograd/step.ts";
import type { Frames } from "../../data/audio/context.ts";
import { logSoftmax } from "../../ops/softmax.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { padWindows } from "./batches.ts";
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
async function longLogProbs(network: SpeechNetwork, { values, size }: Frames): Promise<Float32Array> {
  const pause = eventLoopTurns();
  const V = network.config.classes;
  const T = values.length / size;
  const out = new Float32Array(T * V);
  for (let from = 0; from < T; from += PART) {
    const [first, end] = [Math.max(0, from - CONTEXT), Math.min(T, from + PART + CONTEXT)];
    const [part] = batchLogProbs(network, [{ values: values.subarray(first * size, end * size), size }]);
    out.set(part!.subarray((from - first) * V, (Math.min(T, from + PART) - first) * V), from * V);
    await pause();
  }
  return out;
}
