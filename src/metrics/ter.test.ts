import { describe, expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import { EditDistance } from "./edit-distance.ts";
import { translationEdits } from "./edit-rate.ts";
import { TER, type TerOptions } from "./ter.ts";

/** Scores that sacreBLEU's own tests publish. */
describe("TER is sacreBLEU's", () => {
  it.each([
    ["aaaa bbbb cccc dddd", "aaaa bbbb cccc dddd", 0],
    ["dddd eeee ffff", "aaaa bbbb cccc", 100],
    ["", "a", 100],
    ["d e f g h a b c", "a b c d e f g h", 100 / 8],
  ])("%j to %j: %f", (hypothesis, reference, score) => {
    expect(new TER().sentenceScore(hypothesis, [reference]).score).toBeCloseTo(score, 10);
  });

  it("of sentences of a translation system", () => {
    const same = [
      'wenn Sie alle Aufgaben im aktuellen Dokument aktualisieren möchten , wählen Sie im Menü des Aufgabenbedienfelds die Option " Alle Aufgaben aktualisieren . "',
      'wählen Sie im Dialogfeld " Neu aus Vorlage " eine Vorlage aus und klicken Sie auf " Neu . "',
    ];
    const hypotheses = [
      'wählen Sie " Bild neu berechnen , " um beim Ändern der Bildgröße Pixel hinzuzufügen oder zu entfernen , damit das Bild ungefähr dieselbe Größe aufweist wie die andere Größe .',
      'klicken Sie auf der Registerkarte " Optionen " auf die Schaltfläche " Benutzerdefiniert " und geben Sie Werte für " Fehlerkorrektur-Level " und " Y / X-Verhältnis " ein .',
      "Sie können beispielsweise ein Dokument erstellen , das ein Auto über die Bühne enthält .",
    ];
    const references = [
      'wählen Sie " Bild neu berechnen , " um beim Ändern der Bildgröße Pixel hinzuzufügen oder zu entfernen , damit die Darstellung des Bildes in einer anderen Größe beibehalten wird .',
      'klicken Sie auf der Registerkarte " Optionen " auf die Schaltfläche " Benutzerdefiniert " und geben Sie für " Fehlerkorrektur-Level " und " Y / X-Verhältnis " niedrigere Werte ein .',
      "Sie können beispielsweise ein Dokument erstellen , das ein Auto enthalt , das sich über die Bühne bewegt .",
    ];
    const { score } = new TER().corpusScore([...hypotheses, ...same], [[...references, ...same]]);
    expect(score).toBeCloseTo(13.6, 2);
  });

  /** How a sentence is cut shows in whether it is the same as one that is cut already. */
  it.each<[TerOptions, string, string]>([
    [{}, "A B C D.", "a b c d."],
    [{ noPunct: true }, "a b c d.", "a b c d"],
    [{ noPunct: true }, "A ; B ) C : D.", "a b c d"],
    [{ normalized: true }, "a b (c) d.", "a b ( c ) d ."],
    [{ normalized: true }, "Jim's car.", "jim 's car ."],
    [{ normalized: true }, "4.2", "4.2"],
    [{ normalized: true, asianSupport: true }, "美众院公布对特", "美 众 院 公 布 对 特"],
    [{ normalized: true, asianSupport: true }, "りの拳銃を持", "りの 拳 銃 を 持"],
    [{ noPunct: true, asianSupport: true }, "好。", "好"],
  ])("%j cuts %j", (options, sentence, cut) => {
    expect(new TER(options).sentenceScore(sentence, [cut]).edits).toBe(0);
    const count = cut.split(" ").length;
    expect(new TER(options).sentenceScore("", [sentence]).edits).toBe(count);
  });

  it("takes the fewest edits and the mean length of several references", () => {
    expect(new TER().sentenceScore("a b c", ["a b c", "a b c d e"])).toEqual({
      name: "TER",
      score: 0,
      edits: 0,
      referenceLength: 4,
    });
    expect(new TER({ caseSensitive: true }).sentenceScore("A", ["a"]).score).toBe(100);
    expect(new TER({ noPunct: true }).sentenceScore("a", ["."]).score).toBe(100);
    expect(new TER({ noPunct: true }).sentenceScore(".", ["."]).score).toBe(0);
  });

  it("signs in its words", () => {
    expect(new TER().signature([["a"]])).toBe(
      "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:unrolled-1",
    );
    expect(
      new TER({ normalized: true, noPunct: true, asianSupport: true, caseSensitive: true }).signature([
        ["a"],
      ]),
    ).toBe("nrefs:1|case:mixed|tok:tercom|norm:yes|punct:no|asian:yes|version:unrolled-1");
    expect(() => new TER({ normalised: true } as TerOptions)).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: TER: normalised is not known (did you mean normalized?)]`,
    );
  });
});

/** Levenshtein's distance, of all cells. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j]! + (a[i] === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

describe("edits", () => {
  const random = new Generator(7);
  const sentence = (length: number) => Int32Array.from({ length }, () => random.below(6));

  it("are Levenshtein's, whatever was computed before", () => {
    for (let round = 0; round < 200; round++) {
      const reference = sentence(1 + random.below(20));
      const length = random.below(20);
      const edits = new EditDistance(reference, length);
      for (let i = 0; i < 5; i++) {
        const hypothesis = sentence(length);
        expect(edits.of(hypothesis)).toBe(distance(hypothesis, reference));
        expect(edits.path().filter((edit) => edit !== "match").length).toBe(distance(hypothesis, reference));
      }
    }
  });

  it("with shifts are never more than without, and no fewer than one a word of another kind", () => {
    for (let round = 0; round < 100; round++) {
      const [hypothesis, reference] = [sentence(random.below(15)), sentence(1 + random.below(15))];
      const words = [...hypothesis].map(String);
      const others = [...reference].map(String);
      const edits = translationEdits(words, others);
      expect(edits).toBeLessThanOrEqual(distance(hypothesis, reference));
      const left = [...others];
      for (const word of words) if (left.includes(word)) left.splice(left.indexOf(word), 1);
      expect(edits).toBeGreaterThanOrEqual(left.length);
    }
  });

  it("of long sentences take no time", () => {
    const words = Array.from({ length: 400 }, () => String(random.below(50)));
    const others = Array.from({ length: 380 }, () => String(random.below(50)));
    const started = performance.now();
    expect(translationEdits(words, others)).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
