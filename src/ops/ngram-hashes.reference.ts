import type { ReferenceOf } from "../autograd/op.ts";
import { mix } from "./direct.reference.ts";
import type { ngramHashesOp } from "./ngram-hashes.ts";

export const ngramHashes: ReferenceOf<typeof ngramHashesOp> = {
  forward({ shapes, inputs: { tokens, before }, outputs: { hashes, next } }, { orders }) {
    const [T, N] = shapes.tokens as [number, number];
    const K = shapes.before[0]!;
    const tokenAt = (t: number, n: number) => (t >= 0 ? tokens[t * N + n]! : (before[(K + t) * N + n] ?? -1));
    for (let n = 0; n < N; n++) {
      for (let t = 0; t < T; t++) {
        let hash = 0x2545f491;
        for (let k = 0; k < orders; k++) {
          const token = k === 0 ? 0 : tokenAt(t - k + 1, n);
          if (token < 0 || hash === 0) hash = 0;
          else if (k > 0) hash = Math.max(mix(hash ^ Math.imul(token + 1, 0x9e3779b1)), 1);
          // As the kernel leaves it: 32 bits, read as a signed number.
          hashes[(t * N + n) * orders + k] = hash | 0;
        }
      }
      for (let k = 0; k < K; k++) next[k * N + n] = tokenAt(T - K + k, n);
    }
  },
};
