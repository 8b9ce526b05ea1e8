import { noGrad, step } from "../../autograd/step.ts";
import type { DecoderState } from "../../decoding/decoder-steps.ts";
import { argmax } from "../../ops/reduce.ts";
import { Generator, randomState } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { TranslationNetwork } from "./network.ts";

/** Tells the random numbers that choose whose word is read from others of the same seed. */
const OWN = 0x6f_776e;

/**
 * Scheduled sampling (Bengio et al. 2015): each of the decoder's inputs [T, N] but the first becomes, with probability
 * `part`, the word that it finds likeliest there, having read those before. No gradient goes through the choice, so the
 * loss over such inputs can be computed as over any others.
 */
export function mixInOwnWords(
  network: TranslationNetwork,
  inputs: Int32Array,
  start: DecoderState,
  part: number,
): void {
  const N = start.recurrent.h.shape[1]!;
  const random = new Generator(randomState.seed, OWN);
  random.position = randomState.step * inputs.length;
  let { memory, ...state } = start;
  for (let at = 0; at + N < inputs.length; at += N) {
    const { own, next } = step(() =>
      noGrad(() => {
        const tokens = tensor(inputs.subarray(at, at + N), [1, N]);
        const { logits, state: after } = network.decode(tokens, { ...state, memory });
        const { recurrent, beside } = after;
        return { own: argmax(logits, 2).toArray(), next: { recurrent, beside } };
      }),
    );
    state = next;
    for (let n = 0; n < N; n++) if (random.uniform() < part) inputs[at + N + n] = own[n]!;
  }
}
