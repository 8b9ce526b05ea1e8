import { describe, expect, it } from "vitest";
import { CHRF, type ChrfOptions } from "./chrf.ts";

const risk = [
  "risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .",
  "risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .",
] as const;
const relation = [
  "Die Beziehung zwischen Obama und Netanjahu ist nicht gerade freundlich.",
  "Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.",
] as const;
const wall = "Niemand hat die Absicht, eine Mauer zu errichten";

/** Scores that sacreBLEU's own tests publish. */
describe("chrF is sacreBLEU's", () => {
  type Case = [hypotheses: readonly string[], references: readonly string[], score: number];
  const check = (options: ChrfOptions, [hypotheses, references, score]: Case) =>
    expect(Math.abs(new CHRF(options).corpusScore(hypotheses, [references]).score - score)).toBeLessThan(
      1e-4,
    );

  it.each<Case>([
    [["abcdefg"], ["hijklmnop"], 0],
    [["a"], ["b"], 0],
    [[""], ["b"], 0],
    [[""], ["reference"], 0],
    [["aa"], ["ab"], 8.3333],
    [["a", "b"], ["a", "c"], 8.3333],
    [["a"], ["a"], 16.6667],
    [["a b c"], ["a b c"], 50],
    [["a b c"], ["abc"], 50],
    [[` ${risk[0]}`], [risk[1]], 63.36173],
    [
      [" Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. "],
      [relation[1]],
      64.1302698,
    ],
    [[wall], [wall], 100],
  ])("with ε for orders that are missing: %j to %j", (...scored) => {
    check({ beta: 3, epsSmoothing: true }, scored);
  });

  it.each<Case>([
    [["a"], ["a"], 100],
    [[""], ["reference"], 0],
    [["a b c"], ["a b c"], 100],
    [["a b c"], ["abc"], 100],
    [[""], ["c"], 0],
    [["a", "b"], ["a", "c"], 50],
    [["aa"], ["ab"], 25],
  ])("without orders that are missing: %j to %j", (...scored) => check({ beta: 3 }, scored));

  it.each<Case>([
    [[relation[0]], [relation[1]], 67.3481606],
    [[risk[0]], [risk[1]], 65.2414427],
  ])("with blanks: %j to %j", (...scored) => check({ beta: 3, whitespace: true }, scored));

  it.each([
    [
      "Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.",
      "Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.",
      39.14078509,
    ],
    [
      "Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři.",
      "A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři.",
      31.22557079,
    ],
    [
      "Lapali po dechu, jejich životy skončily dřív, než skutečně začaly.",
      "Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, připomněli.",
      57.15704367,
    ],
  ])("of one sentence: %j", (hypothesis, reference, score) => {
    check({ epsSmoothing: true }, [[hypothesis], [reference], score]);
  });
});

it("of the corpus in sacreBLEU's documentation", () => {
  const references = [
    ["The dog bit the man.", "It was not unexpected.", "The man bit him first."],
    ["The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."],
  ];
  const hypotheses = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."];
  expect(new CHRF().corpusScore(hypotheses, references).score.toFixed(2)).toBe("59.73");
});

it("chrF++ counts words too, a mark at an end apart", () => {
  // "(hi" and ")": of characters and of words, each counted by hand.
  const score = new CHRF({ charOrder: 1, wordOrder: 1 }).sentenceScore("(hi) you", ["hi) you"]);
  const [precision, recall] = [(6 / 7 + 2 / 3) / 2, (6 / 6 + 2 / 3) / 2];
  expect(score.score).toBeCloseTo((100 * 5 * precision * recall) / (4 * precision + recall), 10);
  expect(score.name).toBe("chrF2+");
});

it("takes the reference that fits best, of each sentence", () => {
  const chrf = new CHRF();
  expect(
    chrf.corpusScore(
      ["abc", "xyz"],
      [
        ["abc", "q"],
        ["r", "xyz"],
      ],
    ).score,
  ).toBeCloseTo(100, 10);
  expect(new CHRF({ lowercase: true }).sentenceScore("ABC", ["abc"]).score).toBeCloseTo(100, 10);
});

it("signs in sacreBLEU's words", () => {
  expect(new CHRF().signature([["a"]])).toBe(
    "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:unrolled-1",
  );
  expect(new CHRF({ wordOrder: 2, epsSmoothing: true, lowercase: true }).signature([["a"]])).toBe(
    "nrefs:1|case:lc|eff:no|nc:6|nw:2|space:no|version:unrolled-1",
  );
  expect(new CHRF({ wordOrder: 2 }).sentenceScore("a", ["a"]).name).toBe("chrF2++");
  expect(() => new CHRF({ charOrder: 99 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: CHRF: charOrder must be a whole number from 0 to 32, got 99]`,
  );
});
