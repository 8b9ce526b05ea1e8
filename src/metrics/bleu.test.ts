import { describe, expect, it } from "vitest";
import { BLEU, type BleuOptions } from "./bleu.ts";
import { type BleuTokenizer, tokenizeForBleu } from "./bleu-tokenizers.ts";

/** Scores that sacreBLEU's own tests and documentation publish. */
describe("BLEU is sacreBLEU's", () => {
  const references = [
    ["The dog bit the man.", "It was not unexpected.", "The man bit him first."],
    ["The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."],
  ];
  const hypotheses = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."];

  it.each<[BleuOptions, number]>([
    [{}, 48.530827],
    [{ tokenize: "none" }, 49.1919566],
    [{ tokenize: "13a" }, 48.530827],
    [{ tokenize: "intl" }, 43.91623493],
    [{ smooth: "none" }, 48.530827],
  ])("of a corpus with two references, %j: %f", (options, score) => {
    expect(new BLEU(options).corpusScore(hypotheses, references).score).toBeCloseTo(score, 6);
  });

  it("of a sentence with a reference less", () => {
    const fewer = [["", ...references[0]!.slice(1)], references[1]!];
    const { score, precisions, brevityPenalty, referenceLength } = new BLEU().corpusScore(hypotheses, fewer);
    expect(score.toFixed(2)).toBe("29.44");
    expect(precisions.map((p) => p.toFixed(1))).toEqual(["82.4", "42.9", "27.3", "12.5"]);
    expect([brevityPenalty.toFixed(3), referenceLength]).toEqual(["0.889", 19]);
  });

  it("of empty hypotheses is 0", () => {
    expect(new BLEU().corpusScore(["", "", ""], references).score).toBe(0);
  });

  const raw = { tokenize: "none", smooth: "floor", smoothValue: 0.01, effectiveOrder: true } as const;
  it.each([
    [["this is a test", "another test"], ["ref1", "ref2"], 0.0],
    [["this is a test"], ["this is a test"], 100],
    [["this is a fest"], ["this is a test"], 22.3606797749979],
    [["test"], ["a test"], 36.78794411714425],
    [["a test"], ["a test"], 100],
    [["a little test"], ["a test"], 3.218297948685433],
  ])("raw: %j to %j is %f", (hypotheses, references, score) => {
    expect(new BLEU(raw).corpusScore(hypotheses, [references]).score).toBeCloseTo(score, 6);
  });

  it.each<[BleuOptions, number]>([
    [{ smooth: "exp" }, 8.493],
    [{ smooth: "none" }, 0],
    [{ smooth: "floor" }, 4.51688],
    [{ smooth: "floor", smoothValue: 0.1 }, 4.51688],
    [{ smooth: "floor", smoothValue: 0.5 }, 10.1],
    [{ smooth: "add-k" }, 14.882],
    [{ smooth: "add-k", smoothValue: 2 }, 21.389],
    [{ tokenize: "none" }, 7.347],
    [{ tokenize: "intl" }, 8.493],
    [{ tokenize: "char" }, 40.8759],
    [{ tokenize: "char", lowercase: true }, 42.0267],
  ])("of one sentence, %j: %f", (options, score) => {
    const bleu = new BLEU({ ...options, effectiveOrder: true });
    const reference = "producţia de zahăr brut se exprimă în zahăr alb;";
    const hypothesis = "Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;";
    expect(Math.abs(bleu.sentenceScore(hypothesis, [reference]).score - score)).toBeLessThan(1e-3);
  });

  it.each(["exp", "none", "floor", "add-k"] as const)(
    "is 0 where nothing matches, smoothed by %s",
    (smooth) => {
      const bleu = new BLEU({ smooth, effectiveOrder: true });
      expect(bleu.sentenceScore("this is a cat", ["okay thanks"]).score).toBe(0);
    },
  );

  it("of statistics", () => {
    expect(new BLEU({ smooth: "none" }).score([11, 11, 9, 7, 5, 3, 10, 8, 6, 4]).score).toBeCloseTo(
      83.75922397,
      6,
    );
    const statistics = new BLEU(raw).statistics("am I am a character sequence", [
      "I am a symbol string sequence a a",
    ]);
    expect(statistics).toEqual([6, 8, 4, 2, 1, 0, 6, 5, 4, 3]);
    const floor = new BLEU({ ...raw, smoothValue: 0.1 });
    expect(floor.score(statistics).score).toBeCloseTo(15.55722182, 6);
    expect(new BLEU({ ...raw, smoothValue: 0 }).score(statistics).score).toBe(0);
    for (const degenerate of [
      [0, 1, 0, 0, 0, 0, 4, 4, 2, 1],
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [1, 5, 0, 0, 0, 0, 0, 0, 0, 0],
      [6, 6, 6, 5, 4, 0, 6, 5, 4, 3],
    ]) {
      expect(new BLEU({ smooth: "floor", smoothValue: 0 }).score(degenerate).score).toBe(0);
    }
  });

  it("has its parts, and counts a corpus, not sentences", () => {
    const { score, ...parts } = new BLEU().corpusScore(
      ["the cat sat on the mat"],
      [["the cat is on the mat"]],
    );
    // 5 of 6 words, 3 of 5 pairs, 1 of 4 triples, half a match among 3 of the fourth order
    const precisions = [500 / 6, 60, 25, 100 / 6];
    expect(score).toBeCloseTo(precisions.reduce((product, p) => product * p, 1) ** 0.25, 10);
    expect(parts).toMatchObject({ brevityPenalty: 1, hypothesisLength: 6, referenceLength: 6 });
    for (const [k, precision] of parts.precisions.entries())
      expect(precision).toBeCloseTo(precisions[k]!, 10);
  });

  it("takes the nearest reference's length, the shorter of two", () => {
    const { referenceLength, brevityPenalty } = new BLEU().sentenceScore("a b c d", [
      "a b c d e",
      "a b c",
      "a",
    ]);
    expect({ referenceLength, brevityPenalty }).toEqual({ referenceLength: 3, brevityPenalty: 1 });
  });

  it("signs in its words", () => {
    const two = [["a"], ["b"]];
    expect(new BLEU().signature([["a"]])).toBe(
      "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:unrolled-1",
    );
    expect(new BLEU({ lowercase: true, smooth: "floor", tokenize: "zh" }).signature(two)).toBe(
      "nrefs:2|case:lc|eff:no|tok:zh|smooth:floor[0.10]|version:unrolled-1",
    );
    expect(
      new BLEU({ smooth: "add-k", effectiveOrder: true }).signature([
        ["a", "b"],
        ["c", ""],
      ]),
    ).toBe("nrefs:var|case:mixed|eff:yes|tok:13a|smooth:add-k[1.00]|version:unrolled-1");
  });
});

it.each<[BleuTokenizer, string, string]>([
  ["13a", 'He said: "It\'s 3,000.50 (about $5)."', 'He said : " It\'s 3,000.50 ( about $ 5 ) . "'],
  [
    "13a",
    "1990-1995, well-known; A.D. &quot;x&quot; <skipped>&amp;",
    '1990 - 1995 , well-known ; A . D . " x " &',
  ],
  ["13a", "in 1999.", "in 1999 ."],
  ["intl", "in 1999. 5€ «ja» it’s", "in 1999 . 5 € « ja » it ’ s"],
  ["intl", "in 1999.", "in 1999."],
  ["zh", "我买了2.5kg苹果，OK？", "我 买 了 2.5kg 苹 果 ， OK ？"],
  ["zh", "a—b 𠀀", "a — b 𠀀"],
  ["char", "ab 字🌊", "a b 字 🌊"],
  ["none", " a,b  c. ", "a,b c."],
])("%s cuts %j", (tokenizer, line, tokens) => {
  expect(tokenizeForBleu(line, tokenizer).join(" ")).toBe(tokens);
});

it("tells what does not fit", () => {
  expect(() => new BLEU().corpusScore(["a", "b"], [["a", "b"], ["a"]])).toThrowErrorMatchingInlineSnapshot(
    `[DataError: references[1]: must be as many as the 2 hypotheses, got 1, 1 fewer]`,
  );
  expect(() => new BLEU().corpusScore(["a"], [["a", "b"]])).toThrowErrorMatchingInlineSnapshot(
    `[DataError: references[0]: must be as many as the 1 hypotheses, got 2, 1 more]`,
  );
  expect(() => new BLEU().corpusScore([], [[]])).toThrowErrorMatchingInlineSnapshot(
    `[DataError: hypotheses: must hold a sentence or more, got none]`,
  );
  expect(() => new BLEU().corpusScore(["a"], [])).toThrowErrorMatchingInlineSnapshot(
    `[DataError: references: must hold a list or more, got none]`,
  );
  expect(() =>
    new BLEU().corpusScore(
      ["a", "b"],
      [
        ["a", ""],
        ["a", ""],
      ],
    ),
  ).toThrowErrorMatchingInlineSnapshot(`[DataError: references: sentence 2 has none that is not empty]`);
  expect(() => new BLEU({ tokenize: "14a" as "13a" })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: BLEU: tokenize must be 13a, intl, zh, char or none, got "14a"]`,
  );
  expect(() => new BLEU({ smoth: "exp" } as BleuOptions)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: BLEU: smoth is not known (did you mean smooth?)]`,
  );
});
