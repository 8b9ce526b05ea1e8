import { describe, expect, it } from "vitest";
import { manualSeed, mul, parameter, step, sum, type Tensor, tensor } from "../index.ts";
import { Attention, attentionScores, countOfAttention } from "./attention.ts";

const [T, N, S, Q, M] = [3, 2, 5, 4, 6];
const values = (length: number, salt: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7 + salt));
const lengths = [5, 3];

/** The definition, number by number, in float64. */
function reference(attention: Attention, queries: Float32Array, memory: Float32Array, width: number) {
  const rows = (t: Tensor | undefined) => {
    const flat = t!.toArray();
    const columns = t!.shape[1]!;
    return Array.from({ length: t!.shape[0]! }, (_, i) =>
      Array.from(flat.subarray(i * columns, (i + 1) * columns)),
    );
  };
  const times = (matrix: number[][], x: number[]) =>
    matrix.map((row) => row.reduce((total, w, i) => total + w * x[i]!, 0));
  const weights: number[] = [];
  const context: number[] = [];
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      const q = Array.from(queries.subarray((t * N + n) * Q, (t * N + n + 1) * Q));
      const seen = Array.from({ length: lengths[n]! }, (_, s) =>
        Array.from(memory.subarray((s * N + n) * width, (s * N + n + 1) * width)),
      );
      const energies = seen.map((m) => {
        if (attention.score === "dot") return q.reduce((total, x, i) => total + x * m[i]!, 0);
        const key = times(rows(attention.key!.weight), m);
        if (attention.score === "general") return q.reduce((total, x, i) => total + x * key[i]!, 0);
        const bias = attention.query!.bias!.toArray();
        const hidden = times(rows(attention.query!.weight), q).map((x, i) =>
          Math.tanh(x + bias[i]! + key[i]!),
        );
        return times(rows(attention.energy!.weight), hidden)[0]!;
      });
      const exps = energies.map(Math.exp);
      const total = exps.reduce((a, b) => a + b);
      const own = exps.map((e) => e / total);
      weights.push(...own, ...new Array(S - own.length).fill(0));
      for (let i = 0; i < width; i++) context.push(own.reduce((c, w, s) => c + w * seen[s]![i]!, 0));
    }
  }
  return { weights, context };
}

describe.each(attentionScores)("%s attention", (score) => {
  const width = score === "dot" ? Q : M;
  manualSeed(3);
  const attention = new Attention(score, Q, width);
  const queries = values(T * N * Q, 1);
  const memory = values(S * N * width, 2);
  const run = (q: Tensor, m: Tensor) => attention.forward(q, attention.remember(m, lengths));

  it("is the definition, within 1e-6, and sees nothing past a length", () => {
    const { context, weights } = step(() => run(tensor(queries, [T, N, Q]), tensor(memory, [S, N, width])));
    const expected = reference(attention, queries, memory, width);
    for (const [i, x] of context.toArray().entries()) expect(x).toBeCloseTo(expected.context[i]!, 6);
    const found = weights.toArray();
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        for (let s = 0; s < S; s++) {
          expect(found[(n * T + t) * S + s]).toBeCloseTo(expected.weights[(t * N + n) * S + s]!, 6);
          if (s >= lengths[n]!) expect(found[(n * T + t) * S + s]).toBe(0);
        }
      }
    }
  });

  it("has the gradients of its definition, within 1e-3 of differences", () => {
    const loss = (q: Float32Array, m: Float32Array) => {
      const { context } = reference(attention, q, m, width);
      return context.reduce((total, c, i) => total + c * Math.cos(i), 0);
    };
    const [q, m] = [parameter(queries, [T, N, Q]), parameter(memory, [S, N, width])];
    const factors = tensor(
      Float32Array.from({ length: T * N * width }, (_, i) => Math.cos(i)),
      [T, N, width],
    );
    step(() => sum(mul(run(q, m).context, factors)).backward());
    const h = 1e-2;
    for (const [p, own] of [
      [q, queries],
      [m, memory],
    ] as const) {
      const gradient = p.grad!.toArray();
      for (let i = 0; i < own.length; i++) {
        const [up, down] = [own.slice(), own.slice()];
        up[i]! += h;
        down[i]! -= h;
        const difference =
          p === q
            ? (loss(up, memory) - loss(down, memory)) / (up[i]! - down[i]!)
            : (loss(queries, up) - loss(queries, down)) / (up[i]! - down[i]!);
        expect(Math.abs(gradient[i]! - difference)).toBeLessThan(1e-3);
      }
    }
  });

  it("says how many numbers it has", () => {
    const count = attention.parameters().reduce((total, { size }) => total + size, 0);
    expect(countOfAttention(score, Q, width)).toBe(count);
  });
});

it("refuses dot products of vectors that are not as wide", () => {
  expect(() => new Attention("dot", 4, 6)).toThrow(
    "Attention: dot products need queries as wide as the memory, got 4 and 6",
  );
});
