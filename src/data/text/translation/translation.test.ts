import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { Generator } from "../../../tensor/random.ts";
import { detokenize } from "./detokenize.ts";
import { PairBatches } from "./pair-batches.ts";
import { readParallel } from "./parallel-text.ts";
import { type SentenceOptions, tokenizeSentence, webAddresses } from "./tokenize.ts";
import { capitalize, Truecaser } from "./truecaser.ts";

/** What tokenizer.perl of Moses makes of these, run once. */
describe("sentences are cut as Moses does", () => {
  it.each<[language: string, sentence: string, tokens: string, options?: SentenceOptions]>([
    [
      "en",
      "A man's dog, aged 1,000.5 years, isn't here.",
      "A man 's dog , aged 1,000.5 years , isn 't here .",
    ],
    [
      "en",
      "Mr. Smith lives in the U.S. and i.e. works etc.",
      "Mr. Smith lives in the U.S. and i.e. works etc .",
    ],
    ["en", "See No. 5, not No. Five.", "See No. 5 , not No . Five ."],
    [
      "en",
      "The 1990's were... well, 'good' (or not)?!",
      "The 1990 's were ... well , ' good ' ( or not ) ? !",
    ],
    ["en", "well-known A,B,C 5,", "well @-@ known A , B , C 5 ,", { aggressive: true }],
    [
      "en",
      'a & b | <c> "d" [e]',
      "a &amp; b &#124; &lt; c &gt; &quot; d &quot; &#91; e &#93;",
      { escape: true },
    ],
    [
      "de",
      "Der 3. Mann sagt: „Z.B. bzw. usw.“, am 14. Mai.",
      "Der 3. Mann sagt : „ Z.B. bzw. usw. “ , am 14. Mai .",
    ],
    [
      "fr",
      "L'homme qu'on a vu aujourd'hui, c'est M. Dupont !",
      "L' homme qu' on a vu aujourd' hui , c' est M. Dupont !",
    ],
    ["fr", "l' ami 'x' 5'", "l ' ami ' x ' 5'"],
    ["xx", "Foo. bar. Baz.", "Foo. bar . Baz ."],
    ["en", "   ", ""],
    ["en", 'He said "go."', 'He said " go . "'],
    [
      "en",
      "See https://a.org/b-c?d=1, or me@mail.org.",
      "See https://a.org/b-c?d=1 , or me@mail.org .",
      { protect: [webAddresses] },
    ],
  ])("%s: %s", (language, sentence, tokens, options) => {
    expect(tokenizeSentence(sentence, language, options).join(" ")).toBe(tokens);
  });

  it.each<[NonNullable<SentenceOptions["chinese"]>, string]>([
    ["characters", "我 今 天 去 IBM 超 市 ， 买 了 3.5 双 鞋 。"],
    ["words", "我 今天 去 IBM 超市 ， 买 了 3.5 双 鞋 。"],
  ])("Chinese by %s", (chinese, tokens) => {
    const sentence = "我今天去IBM超市，买了3.5双鞋。";
    expect(tokenizeSentence(sentence, "zh", { chinese }).join(" ")).toBe(tokens);
  });

  it("refuses options that are none", () => {
    expect(() =>
      tokenizeSentence("a", "en", { escapes: true } as SentenceOptions),
    ).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: tokenizeSentence: escapes is not known (did you mean escape?)]`,
    );
  });
});

describe("and put together again", () => {
  it.each([
    ["en", "A man's dog, aged 1,000.5 years, isn't here."],
    ["en", 'Two dogs (brown) say "hello" to the girls\' mother; she pays $5 and 10% more.'],
    ["en", "He said “no” to me, don't you see?"],
    ["de", "Ein kleiner Hund läuft über das Gras: „Komm her!“, ruft er (laut)."],
    ["fr", "L'homme qu'on a vu, c'est lui ! N'est-ce pas ? Oui : 5 %"],
    ["zh", "我今天去超市，买了一双鞋。“好！”"],
  ])("%s: %s", (language, sentence) => {
    for (const options of [{}, { escape: true }, { aggressive: true }]) {
      expect(detokenize(tokenizeSentence(sentence, language, options), language)).toBe(sentence);
    }
  });
});

describe("Truecaser", () => {
  const sentences = [
    "The cat saw the dog .",
    "A dog saw Paris . Dogs saw Paris .",
    '" The cat " , the dog said',
  ];
  const truecaser = Truecaser.train(sentences.map((sentence) => sentence.split(" ")));
  const apply = (sentence: string) => truecaser.apply(sentence.split(" ")).join(" ");

  it("spells first words as they are elsewhere, and leaves others alone", () => {
    expect(apply("The dog saw Paris .")).toBe("the dog saw Paris .");
    expect(apply("Paris : The dog")).toBe("Paris : the dog");
    expect(apply('" The dog PARIS Unseen')).toBe('" the dog Paris Unseen');
    expect(apply("Unseen THE the")).toBe("Unseen the the");
  });

  it("comes back from JSON, and says what is none", () => {
    const again = Truecaser.fromJSON(JSON.parse(JSON.stringify(truecaser)));
    expect(again.toJSON()).toEqual(truecaser.toJSON());
    expect(again.apply(["The", "dog"])).toEqual(["the", "dog"]);
    expect(() => Truecaser.fromJSON({ formatVersion: 1, words: [1] })).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: truecaser.json: words.0 Invalid type: Expected Array but received 1]`,
    );
  });

  it("gives sentences their capital back", () => {
    expect(capitalize('"ein hund.')).toBe('"Ein hund.');
    expect(capitalize("5 dogs")).toBe("5 dogs");
    expect(capitalize("élan")).toBe("Élan");
  });
});

describe("parallel text", () => {
  const folder = mkdtempSync(join(tmpdir(), "unrolled-parallel-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string, pack = false) => {
    writeFileSync(join(folder, name), pack ? gzipSync(text) : text);
    return join(folder, name);
  };

  it("is read line by line; blank sides are told", async () => {
    const source = write("a.de", "eins\n\nzwei\ndrei\r\n");
    const target = write("a.en.gz", "one\ntwo\n  \nthree\n", true);
    expect(await readParallel(source, target)).toEqual({
      source: ["eins", "drei"],
      target: ["one", "three"],
      lines: [1, 4],
      empty: [2, 3],
    });
  });

  it("must have as many lines on both sides", async () => {
    const error = await readParallel(write("b.de", "a\nb\n"), write("b.en", "a\n")).catch(String);
    expect(String(error).replaceAll(folder, "…")).toMatchInlineSnapshot(
      `"DataError: …/b.en: must have as many lines as …/b.de, 2, got 1, 1 fewer"`,
    );
  });
});

describe("PairBatches", () => {
  const random = new Generator(4);
  const sentences = () =>
    Array.from({ length: 300 }, (_, i) => new Int32Array(1 + random.below(30)).fill(i + 1));
  const [source, target] = [sentences(), sentences()];
  const options = { maxTokens: 200, seed: 9 };
  const batches = new PairBatches(source, target, options);
  const epoch = (number: number, of = batches) =>
    Array.from({ length: of.length }, (_, i) => of.at(number, i));

  it("hold every pair once an epoch, none more than its tokens", () => {
    for (const number of [0, 1]) {
      const all = epoch(number);
      expect(all.flatMap(({ pairs }) => pairs).sort((a, b) => a - b)).toEqual(source.map((_, i) => i));
      for (const { source: tokens, target: others, pairs, sourceLengths, targetLengths } of all) {
        expect(Math.max(tokens.size, others.size)).toBeLessThanOrEqual(200);
        const [steps, count] = tokens.shape as [number, number];
        expect([count, steps]).toEqual([pairs.length, Math.max(...sourceLengths)]);
        const values = tokens.toArray();
        for (const [n, pair] of pairs.entries()) {
          const column = Array.from({ length: steps }, (_, t) => values[t * count + n]);
          expect(column.slice(0, sourceLengths[n])).toEqual([...source[pair]!]);
          expect(column.slice(sourceLengths[n])).toEqual(Array(steps - sourceLengths[n]!).fill(0));
          expect(targetLengths[n]).toBe(target[pair]!.length);
        }
      }
    }
  });

  it("fill little up", () => {
    const all = epoch(0);
    const filled = all.reduce((sum, batch) => sum + batch.source.size, 0);
    const held = source.reduce((sum, { length }) => sum + length, 0);
    expect(filled / held).toBeLessThan(1.1);
  });

  it("are others each epoch and for each seed, and the same when a training goes on", () => {
    const orders = [epoch(0), epoch(1), epoch(0, new PairBatches(source, target, { ...options, seed: 10 }))];
    expect(new Set(orders.map((all) => JSON.stringify(all.map(({ pairs }) => pairs)))).size).toBe(3);
    const again = new PairBatches(source, target, options);
    expect(again.at(1, 5).pairs).toEqual(epoch(1)[5]!.pairs);
    expect(batches.at(0, 3).pairs).toEqual(orders[0]![3]!.pairs);
  });

  it("heed the most sentences, and what to fill up with", () => {
    const few = new PairBatches(source, target, { ...options, maxSentences: 3, padding: 7 });
    expect(Math.max(...epoch(0, few).map(({ pairs }) => pairs.length))).toBe(3);
    const uneven = new PairBatches(
      [Int32Array.of(1), Int32Array.of(1, 2)],
      [Int32Array.of(3), Int32Array.of(3)],
      { ...options, padding: 7 },
    );
    expect([...uneven.at(0, 0).source.toArray()].filter((token) => token === 7).length).toBe(1);
  });

  it("refuse what does not fit", () => {
    const make = (sizes: [number, number][], more = {}) =>
      new PairBatches(
        sizes.map(([length]) => new Int32Array(length)),
        sizes.map(([, length]) => new Int32Array(length)),
        { ...options, ...more },
      );
    expect(() => make([[3, 500]])).toThrowErrorMatchingInlineSnapshot(`
      [DataError: pairs: pair 1 must have 1 to 200 tokens a side, got 3 and 500
      hint: raise maxTokens, or leave long sentences out]
    `);
    expect(() => make([])).toThrowErrorMatchingInlineSnapshot(
      `[DataError: pairs: need as many sources as targets, and one at least, got 0 and 0]`,
    );
    expect(() => make([[1, 1]], { maxSentences: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: pairs: maxSentences must be a whole number from 1 up, got 0]`,
    );
  });
});
