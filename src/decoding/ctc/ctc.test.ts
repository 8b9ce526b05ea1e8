import { describe, expect, it } from "vitest";
import { Generator } from "../../tensor/random.ts";
import { alignLabels, ctcBestPath, wordSpans } from "./alignment.ts";
import { CtcBeamSearch, type CtcDecodingOptions, ctcBeamSearch } from "./beam-search.ts";
import type { CtcLanguageModel, TransitionModel } from "./language-model.ts";
import { Lexicon } from "./lexicon.ts";
import { tuneCtcDecoding } from "./tuning.ts";

const alphabet = ["", "a", "b", " "];
const V = alphabet.length;

/** Frames of log-probabilities, drawn. */
function draw(T: number, seed: number, sharpness = 2): Float64Array {
  const generator = new Generator(seed);
  const out = new Float64Array(T * V);
  for (let t = 0; t < T; t++) {
    const weights = Array.from({ length: V }, () => Math.exp(sharpness * generator.normal()));
    const sum = weights.reduce((a, b) => a + b, 0);
    for (let v = 0; v < V; v++) out[t * V + v] = Math.log(weights[v]! / sum);
  }
  return out;
}

/** P of every labelling, as text, by the definition: the sum over all V^T paths. */
function enumerate(logProbs: Float64Array, blank = 0): Map<string, number> {
  const T = logProbs.length / V;
  const sums = new Map<string, number>();
  for (let code = 0; code < V ** T; code++) {
    const path = Array.from({ length: T }, (_, t) => Math.floor(code / V ** t) % V);
    const text = path
      .filter((k, t) => k !== blank && k !== path[t - 1])
      .map((k) => alphabet[k])
      .join("");
    const probability = Math.exp(path.reduce((sum, k, t) => sum + logProbs[t * V + k]!, 0));
    sums.set(text, (sums.get(text) ?? 0) + probability);
  }
  return sums;
}

/** Any numbers that depend on all tokens before: a hash of them, and its answer to the next. */
class HashModel implements TransitionModel<number> {
  readonly start = 7;
  logProb = 0;
  step(state: number, token: number): number {
    const next = (Math.imul(state + 31 * token, 0x9e3779b1) >>> 16) % 1000;
    this.logProb = -0.001 * next - 0.2;
    return next;
  }
}

const tokenOf = (text: string) => [...text].reduce((sum, c) => 3 * sum + c.charCodeAt(0), 0);
const END = 999;
const wordModel: CtcLanguageModel<number> = { model: new HashModel(), unit: "word", tokenOf, end: END };
const labelModel: CtcLanguageModel<number> = { ...wordModel, unit: "label" };

/** ln P of a text's units, plus the bonus for each, by the definition. */
function languageScore(text: string, model: CtcLanguageModel<number>, weight: number, bonus: number): number {
  const units = model.unit === "word" ? text.split(" ").filter(Boolean) : [...text];
  let [state, sum] = [model.model.start, 0];
  for (const token of [...units.map(model.tokenOf), END]) {
    state = model.model.step(state, token);
    sum += model.model.logProb;
  }
  return weight * sum + bonus * units.length;
}

const everything = { alphabet, beam: 10_000 };

describe("ctcBeamSearch, the beam wide enough, is the sum over all paths", () => {
  const logProbs = draw(6, 1);
  const sums = enumerate(logProbs);

  it("of every labelling", () => {
    const found = ctcBeamSearch(logProbs, everything, 10_000);
    expect(found.length).toBe(sums.size);
    for (const { text, logProbability, score } of found) {
      expect(Math.abs(logProbability - Math.log(sums.get(text)!))).toBeLessThan(1e-9);
      expect(score).toBe(logProbability);
    }
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
  });

  it.each([
    ["words", wordModel],
    ["labels", labelModel],
  ] as const)("with a language model of %s, weighted, and a bonus", (_, languageModel) => {
    const found = ctcBeamSearch(
      logProbs,
      { ...everything, languageModel, weight: 0.7, insertionBonus: 0.4 },
      10_000,
    );
    expect(found.length).toBe(sums.size);
    for (const { text, score, logProbability } of found) {
      expect(Math.abs(logProbability - Math.log(sums.get(text)!))).toBeLessThan(1e-9);
      const expected = Math.log(sums.get(text)!) + languageScore(text, languageModel, 0.7, 0.4);
      expect(Math.abs(score - expected)).toBeLessThan(1e-9);
    }
  });

  it("of the words of a lexicon", () => {
    const lexicon = new Lexicon(["a", "ab", "bb"], alphabet);
    const found = ctcBeamSearch(logProbs, { ...everything, lexicon }, 10_000);
    const fits = (text: string) => text === "" || /^(a|ab|bb)( (a|ab|bb))* ?$/.test(text);
    const complete = found.filter((one) => one.complete);
    expect(complete.map(({ text }) => text).sort()).toEqual([...sums.keys()].filter(fits).sort());
    for (const { text, logProbability } of complete) {
      expect(Math.abs(logProbability - Math.log(sums.get(text)!))).toBeLessThan(1e-9);
    }
    expect(found.slice(complete.length).every(({ text }) => !fits(text))).toBe(true);
  });

  it("with another blank", () => {
    const others = ["b", "a", " ", ""];
    const moved = logProbs.map((_, i) => logProbs[i - (i % V) + alphabet.indexOf(others[i % V]!)]!);
    const found = ctcBeamSearch(moved, { alphabet: others, blank: 3, beam: 10_000 }, 5);
    const expected = ctcBeamSearch(logProbs, everything, 5);
    expect(found.map(({ text }) => text)).toEqual(expected.map(({ text }) => text));
  });
});

describe("ctcBeamSearch of a narrow beam", () => {
  it("at beam 1 keeps the best prefix; wider is no worse", () => {
    const certain = draw(40, 2, 9);
    const path = ctcBestPath(certain, V).map(({ label }) => label);
    expect(ctcBeamSearch(certain, { alphabet, beam: 1 })[0]!.labels).toEqual(path);
    for (let seed = 0; seed < 20; seed++) {
      const logProbs = draw(30, seed, 1);
      const scores = [1, 4, 16, 64].map(
        (beam) => ctcBeamSearch(logProbs, { alphabet, beam })[0]!.logProbability,
      );
      expect(scores.at(-1)).toBeGreaterThanOrEqual(scores[0]! - 1e-9);
    }
  });

  it("is the same frame by frame, with results on the way", () => {
    const logProbs = draw(25, 4);
    const options: CtcDecodingOptions = { alphabet, beam: 8, languageModel: wordModel, insertionBonus: 1 };
    const search = new CtcBeamSearch(options);
    for (let t = 0; t < 25; t++) {
      search.push(logProbs.subarray(t * V, (t + 1) * V));
      expect(search.hypotheses(3)).toEqual(ctcBeamSearch(logProbs.subarray(0, (t + 1) * V), options, 3));
    }
  });

  it("of no frames is the empty text", () => {
    expect(ctcBeamSearch([], { alphabet })).toEqual([
      { labels: [], text: "", score: 0, logProbability: 0, complete: true },
    ]);
  });

  it("lets the language model decide where the sound does not", () => {
    const even = new Float64Array(3 * V).fill(Math.log(1 / V));
    const model: TransitionModel<number> & { logProb: number } = {
      start: 0,
      logProb: 0,
      step(_, token) {
        this.logProb = token === 98 ? -0.1 : -5;
        return 0;
      },
    };
    const languageModel = { model, unit: "label" as const, tokenOf: (text: string) => text.charCodeAt(0) };
    expect(ctcBeamSearch(even, { alphabet, languageModel, insertionBonus: 1 })[0]!.text).toMatch(/^b+$/);
  });
});

describe("alignment", () => {
  const path = [0, 1, 1, 0, 1, 3, 2, 2, 0];
  const logProbs = Float64Array.from(
    path.flatMap((k) => alphabet.map((_, v) => Math.log(v === k ? 0.7 : 0.1))),
  );
  const spans = [
    { label: 1, from: 1, to: 3 },
    { label: 1, from: 4, to: 5 },
    { label: 3, from: 5, to: 6 },
    { label: 2, from: 6, to: 8 },
  ];

  it("of the best path, and of its labels, says where they stand", () => {
    for (const found of [ctcBestPath(logProbs, V), alignLabels(logProbs, V, [1, 1, 3, 2])]) {
      expect(found.map(({ probability, ...span }) => span)).toEqual(spans);
      for (const { probability } of found) expect(probability).toBeCloseTo(0.7, 12);
    }
  });

  it("gives the words, their times and how sure they are", () => {
    const words = wordSpans(alignLabels(logProbs, V, [1, 1, 3, 2]), alphabet);
    expect(words.map(({ confidence, ...word }) => word)).toEqual([
      { word: "aa", from: 1, to: 5 },
      { word: "b", from: 6, to: 8 },
    ]);
    for (const { confidence } of words) expect(confidence).toBeCloseTo(0.7, 12);
  });

  it("is the likeliest of all paths", () => {
    for (let seed = 0; seed < 10; seed++) {
      const drawn = draw(6, seed);
      const labels = [1, 1, 2];
      let best = Number.NEGATIVE_INFINITY;
      for (let code = 0; code < V ** 6; code++) {
        const one = Array.from({ length: 6 }, (_, t) => Math.floor(code / V ** t) % V);
        if (one.filter((k, t) => k !== 0 && k !== one[t - 1]).join() !== labels.join()) continue;
        best = Math.max(
          best,
          one.reduce((sum, k, t) => sum + drawn[t * V + k]!, 0),
        );
      }
      const spans = alignLabels(drawn, V, labels);
      const found = Array.from(
        { length: 6 },
        (_, t) => spans.find(({ from, to }) => t >= from && t < to)?.label ?? 0,
      );
      expect(found.reduce((sum, k, t) => sum + drawn[t * V + k]!, 0)).toBeCloseTo(best, 9);
    }
  });
});

it("tunes on development data", async () => {
  const development = [1, 2, 3, 4].map((seed) => ({ logProbs: draw(20, seed), text: "a b a" }));
  const options = { alphabet, beam: 8, languageModel: wordModel };
  const tried = await tuneCtcDecoding(development, options, { weights: [0, 1], insertionBonuses: [0, 2] });
  expect(tried.length).toBe(4);
  expect(tried.map(({ rate }) => rate)).toEqual(tried.map(({ rate }) => rate).sort((a, b) => a - b));
  expect(tried[0]!.rate).toBeLessThan(tried.at(-1)!.rate);
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(tuneCtcDecoding(development, options, { weights: [0], signal })).rejects.toThrow("enough");
});

it("says what does not fit", async () => {
  expect(() => ctcBeamSearch([], { alphabet, blank: 4 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: ctcBeamSearch: blank must be from 0 to 3, got 4]`,
  );
  expect(() => ctcBeamSearch([], { alphabet, beam: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: ctcBeamSearch: beam must be a whole number from 1 up, got 0]`,
  );
  expect(() => ctcBeamSearch([], { alphabet, weight: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: ctcBeamSearch: weight must be from 0 up and insertionBonus finite, got NaN and 0]`,
  );
  expect(() =>
    ctcBeamSearch([], { alphabet: ["", "a"], languageModel: wordModel }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: ctcBeamSearch: a language model of words needs a separator in the alphabet]`,
  );
  expect(() => ctcBeamSearch([0, 0, 0], { alphabet })).toThrowErrorMatchingInlineSnapshot(
    `[DataError: ctcBeamSearch: a frame must be 4 numbers, got 3]`,
  );
  expect(() => ctcBeamSearch([0, Number.NaN, 0, 0], { alphabet })).toThrowErrorMatchingInlineSnapshot(
    `[NumericError: ctcBeamSearch: log-probabilities must be finite or −∞, got NaN in frame 0]`,
  );
  expect(() => new Lexicon(["abc"], alphabet)).toThrowErrorMatchingInlineSnapshot(
    `[DataError: lexicon: "abc" must be spelt in the alphabet, which lacks "c"]`,
  );
  expect(() => alignLabels(draw(2, 1), V, [1, 1])).toThrowErrorMatchingInlineSnapshot(
    `[DataError: alignLabels: 2 labels do not fit 2 frames]`,
  );
  await expect(
    tuneCtcDecoding([], { alphabet }, { weights: [1] }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[DataError: tuneCtcDecoding: needs development data, got none]`,
  );
});
