import { describe, expect, it } from "vitest";
import { type BeamOptions, beamSearch } from "./beam-search.ts";

const END = 0;
const V = 4;

/** P of each token after some others, of a language that is drawn at random. */
function language(seed: number): (before: readonly number[]) => number[] {
  return (before) => {
    const raw = Array.from({ length: V }, (_, token) => {
      const x =
        Math.sin(seed * 12.9898 + [...before, token].reduce((h, t) => h * 7.13 + t + 1, 3)) * 43758.5453;
      return 0.05 + (x - Math.floor(x));
    });
    const total = raw.reduce((a, b) => a + b);
    return raw.map((x) => Math.log(x / total));
  };
}

/** Searches languages side by side, a sequence for each. */
function search(
  languages: readonly ((before: readonly number[]) => number[])[],
  maxLength: number,
  options: BeamOptions,
  more: { prefix?: number[]; bonus?: (sequence: number, rows: readonly number[]) => number } = {},
) {
  const { prefix = [], ...rest } = more;
  let rows = languages.map((of) => ({ of, before: prefix.slice(0, -1) }));
  let first = prefix.length === 0;
  return beamSearch(
    (parents, tokens) => {
      rows = Array.from(parents, (parent, i) => {
        const { of, before } = rows[parent]!;
        return { of, before: first ? before : [...before, tokens[i]!] };
      });
      first = false;
      const sorted = rows.map(({ of, before }) => [...of(before).entries()].sort(([, a], [, b]) => b - a));
      return {
        tokens: sorted.flatMap((row) => row.map(([token]) => token)),
        logProbs: Float32Array.from(sorted.flatMap((row) => row.map(([, logProb]) => logProb))),
      };
    },
    {
      start: END,
      end: END,
      sequences: languages.map((of) => ({
        maxLength,
        tokens: prefix,
        logProbability: prefix.reduce((sum, token, i) => sum + of(prefix.slice(0, i))[token]!, 0),
      })),
      ...rest,
    },
    options,
  );
}

/** Every sequence of at most `maxLength` tokens, by its log-probability. */
function enumerate(of: (before: readonly number[]) => number[], maxLength: number) {
  const found: { tokens: number[]; logProbability: number; steps: number }[] = [];
  const visit = (tokens: number[], logProbability: number) => {
    for (const [token, step] of of(tokens).entries()) {
      const total = logProbability + Math.fround(step);
      const longer = [...tokens, token];
      if (token === END) found.push({ tokens, logProbability: total, steps: longer.length });
      else if (longer.length === maxLength) {
        found.push({ tokens: longer, logProbability: total, steps: longer.length });
      } else visit(longer, total);
    }
  };
  visit([], 0);
  return found;
}

describe("beamSearch", () => {
  it.each([0, 0.6, 1])(
    "finds the best of all sequences where its beam holds them, length penalty %f",
    (α) => {
      for (let seed = 0; seed < 20; seed++) {
        const [found] = search([language(seed)], 4, { beam: 1000, nBest: 3, lengthPenalty: α });
        const all = enumerate(language(seed), 4)
          .map((one) => ({ ...one, score: one.logProbability / one.steps ** α }))
          .sort((a, b) => b.score - a.score);
        for (let k = 0; k < 3; k++) {
          expect(found![k]!.tokens).toEqual(all[k]!.tokens);
          expect(found![k]!.score).toBeCloseTo(all[k]!.score, 6);
        }
      }
    },
  );

  it("of one hypothesis is greedy", () => {
    for (let seed = 0; seed < 20; seed++) {
      const of = language(seed);
      const tokens: number[] = [];
      for (;;) {
        const step = of(tokens);
        const next = step.indexOf(Math.max(...step));
        if (next === END) break;
        tokens.push(next);
        if (tokens.length === 6) break;
      }
      const [[best]] = search([of], 6, { beam: 1 }) as unknown as [
        [{ tokens: number[]; truncated: boolean }],
      ];
      expect(best.tokens).toEqual(tokens);
      expect(best.truncated).toBe(tokens.length === 6);
    }
  });

  it("gives each of many sequences what it gives that alone", () => {
    const languages = Array.from({ length: 12 }, (_, seed) => language(seed));
    const together = search(languages, 8, { beam: 3, nBest: 3 });
    for (const [i, of] of languages.entries()) {
      const [alone] = search([of], 8, { beam: 3, nBest: 3 });
      const plain = (list: typeof alone) => list!.map(({ rows: _, ...rest }) => rest);
      expect(plain(together[i])).toEqual(plain(alone));
    }
  });

  it("goes on from the tokens that a sequence starts with", () => {
    for (let seed = 0; seed < 10; seed++) {
      const [found] = search([language(seed)], 4, { beam: 1000, nBest: 1 }, { prefix: [2, 3] });
      const all = enumerate(language(seed), 4)
        .filter(({ tokens }) => tokens[0] === 2 && tokens[1] === 3)
        .map((one) => ({ ...one, score: one.logProbability / one.steps }))
        .sort((a, b) => b.score - a.score);
      expect(found![0]!.tokens).toEqual(all[0]!.tokens);
      expect(found![0]!.score).toBeCloseTo(all[0]!.score, 6);
    }
  });

  it("adds to scores what its caller thinks of the rows", () => {
    const plain = search([language(3), language(4)], 4, { beam: 6, nBest: 6 });
    const bonus = (sequence: number, rows: readonly number[]) => 10 * sequence + rows.length;
    const found = search([language(3), language(4)], 4, { beam: 6, nBest: 6 }, { bonus });
    for (const [n, list] of found.entries()) {
      const expected = plain[n]!.map(({ tokens, score, rows }) => ({
        tokens,
        score: score + bonus(n, rows),
      }));
      expected.sort((a, b) => b.score - a.score);
      expect(list.map(({ tokens, score }) => ({ tokens, score }))).toEqual(expected);
    }
  });

  it("says which option cannot be", () => {
    expect(() => search([language(1)], 3, { beam: 0 })).toThrow(
      "beamSearch: beam must be a whole number from 1 to 1000, got 0",
    );
  });
});
