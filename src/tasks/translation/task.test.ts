import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { step } from "../../autograd/step.ts";
import { readModel } from "../../io/model-folder.ts";
import { concat } from "../../ops/slice.ts";
import { Generator } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { attentions, cells, decoders } from "./config.ts";
import type { TranslationEvent } from "./events.ts";
import { Translator as UsedTranslator } from "./model.ts";
import { countParameters, TranslationNetwork } from "./network.ts";
import type { TranslationOptions } from "./options.ts";
import { Translator } from "./task.ts";
import type { TranslateOptions } from "./translate.ts";

const digits = "zero one two three four five six seven eight nine".split(" ");
let root: string;
let translator: Translator;
const events: TranslationEvent[] = [];
const at = (...parts: string[]) => join(root, ...parts);

/** Digits in words, and written: "four two" is "42". */
function numbers(count: number, seed: number) {
  const random = new Generator(seed);
  const pairs = Array.from({ length: count }, () =>
    Array.from({ length: 1 + random.below(4) }, () => random.below(10)),
  );
  return {
    source: pairs.map((pair) => pair.map((digit) => digits[digit]).join(" ")),
    target: pairs.map((pair) => pair.join("")),
  };
}

const quick: TranslationOptions = {
  unit: "char",
  embeddingSize: 24,
  hiddenSize: 48,
  dropout: 0,
  labelSmoothing: 0,
  batchTokens: 800,
  epochs: 12,
  learningRate: 0.01,
  measure: "exact",
  maxLength: 60,
};
const tiny: TranslationOptions = { ...quick, hiddenSize: 8, embeddingSize: 8, maxSteps: 3, epochs: 1 };
const held = numbers(60, 2);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  translator = await Translator.train(numbers(600, 1), {
    ...quick,
    valid: held,
    out: at("model"),
    onProgress: (event) => events.push(event),
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("learns to write digits", () => {
  it("without an error", async () => {
    const found = await translator.evaluate(held, { beam: 3 });
    expect(found.sentences).toBe(60);
    expect(found.exact).toBeGreaterThanOrEqual(0.95);
    expect(found.chrf.score).toBeGreaterThan(95);
    const byCharacter = await translator.evaluate(held, { tokenize: "char" });
    expect(byCharacter.bleu.signature).toContain("|tok:char|");
    await expect(translator.evaluate(held, { tokenize: "words" as never })).rejects.toThrow(
      "Translator.evaluate: tokenize must be",
    );
    expect(found.bleu.signature).toMatch(/^nrefs:1\|case:lc\|eff:no\|tok:13a\|smooth:exp\|version:/);
  });

  it("and tells of it", () => {
    const kinds = new Set(events.map(({ type }) => type));
    expect(kinds).toEqual(new Set(["corpus", "step", "validation", "checkpoint", "done"]));
    expect(events.find(({ type }) => type === "corpus")).toMatchObject({ pairs: 600, heldOut: 60, long: 0 });
    const validations = events.filter((event) => event.type === "validation");
    expect(validations).toHaveLength(12);
    for (const { loss, exact } of validations) expect(loss).toBeCloseTo(100 * (1 - exact), 9);
  });

  it("and looks where the digit stands", async () => {
    const { text, attention } = await translator.translate("seven one", { attention: true });
    expect(text).toBe("71");
    expect(attention!.source.join("")).toBe("seven one");
    expect(attention!.target.join("")).toBe("71");
    expect(attention!.weights).toHaveLength(3);
    for (const row of attention!.weights) {
      expect(row).toHaveLength(9);
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
  });

  it("the same from its folder, by the part that only uses models", async () => {
    const loaded = await UsedTranslator.load(at("model"));
    expect(await loaded.translate(held.source)).toEqual(await translator.translate(held.source));
    await loaded.save(at("copy"));
    expect(await (await UsedTranslator.load(at("copy"))).translate("two")).toEqual(
      await translator.translate("two"),
    );
  });
});

describe("translates", () => {
  it("each sentence of many as it does that alone, to the bit, and keeps their order", async () => {
    for (const beam of [1, 4]) {
      const together = await translator.translate(held.source, { beam, nBest: beam });
      for (const [i, sentence] of held.source.entries()) {
        expect(await translator.translate(sentence, { beam, nBest: beam })).toEqual(together[i]);
      }
    }
  });

  it("from what it must begin with, as likely as it would have been", async () => {
    const [free] = await translator.translate(["seven one"], { beam: 3 });
    const [forced] = await translator.translate(["seven one"], { beam: 3, prefix: "7", attention: true });
    expect(forced!.text).toBe(free!.text);
    expect(forced!.logProbability).toBeCloseTo(free!.logProbability, 4);
    expect(forced!.attention!.weights).toHaveLength(3);
    const [other] = await translator.translate(["seven one"], { prefix: "90" });
    expect(other!.text).toMatch(/^90/);
    expect(other!.logProbability).toBeLessThan(free!.logProbability - 1);
    await expect(translator.translate("two", { prefix: "é" })).rejects.toThrow("prefix: holds characters");
  });

  it("with a penalty for what was not looked at", async () => {
    const [free] = await translator.translate(["seven one"], { beam: 2, attention: true });
    const [found] = await translator.translate(["seven one"], { beam: 2, coveragePenalty: 0.5 });
    const { weights } = free!.attention!;
    const missed = Array.from(weights[0]!, (_, i) =>
      Math.log(
        Math.min(
          weights.reduce((sum, row) => sum + row[i]!, 0),
          1,
        ),
      ),
    ).reduce((a, b) => a + b);
    expect(missed).toBeLessThan(-1);
    expect(found!.text).toBe(free!.text);
    expect(found!.score).toBeCloseTo(free!.score + 0.5 * missed, 4);
  });

  it("a blank line to a blank line", async () => {
    const texts = (await translator.translate(["two", "", "  ", "four"])).map(({ text }) => text);
    expect(texts).toEqual(["2", "", "", "4"]);
  });

  it("as an ensemble of itself as it does alone", async () => {
    const ensemble = await Translator.load(at("model"), at("model"));
    const alone = await translator.translate(held.source.slice(0, 10), { beam: 2 });
    for (const [i, one] of (await ensemble.translate(held.source.slice(0, 10), { beam: 2 })).entries()) {
      expect(one.text).toBe(alone[i]!.text);
      expect(one.logProbability).toBeCloseTo(alone[i]!.logProbability, 4);
    }
  });

  it("what is longer than it reads by its beginning, and says so", async () => {
    const { notes } = await translator.translate("one ".repeat(40).trim());
    expect(notes[0]).toBe("line 1: has 159 tokens, of which the first 60 are translated");
  });

  it("and by its line in the file where pairs before it are left out", async () => {
    const given = { source: ["one", " ", "one ".repeat(40).trim()], target: ["1", "2", "3"] };
    const { notes } = await translator.evaluate(given);
    expect(notes).toEqual([
      "sentences: 1 pairs have a blank side, and are left out",
      "line 3: has 159 tokens, of which the first 60 are translated",
      ...notes.slice(2),
    ]);
  });

  it("or says what cannot be", async () => {
    await expect(translator.translate(["two", "Привет"])).rejects.toThrow(
      /^line 2: holds characters the model has never seen: "П" \(U\+041F\)/,
    );
    await expect(translator.translate("two", { beam: 2, nBest: 3 })).rejects.toThrow(
      "Translator.translate: nBest must be at most beam, 2, got 3",
    );
    await expect(translator.translate(3 as never)).rejects.toThrow("needs a sentence or an array");
    const stopped = AbortSignal.abort(new Error("enough"));
    await expect(translator.translate("two", { signal: stopped })).rejects.toThrow("enough");
  });
});

describe("a network", () => {
  const plain = cells.flatMap((cell) =>
    attentions.flatMap((attention) =>
      [true, false].map((bidirectional) => ({
        ...{ cell, attention, bidirectional, numLayers: 2 },
        decoder: "plain" as const,
      })),
    ),
  );
  const shapes = [
    ...plain,
    ...cells.flatMap((cell) =>
      (["input-feeding", "conditional"] as const).map((decoder) => ({
        ...{ cell, decoder, attention: "dot" as const, bidirectional: true, numLayers: 1 },
      })),
    ),
    ...cells.map((cell) => ({
      ...{
        cell,
        decoder: "context" as const,
        attention: "none" as const,
        bidirectional: false,
        numLayers: 2,
      },
    })),
  ];
  it.each(shapes)("has as many numbers as is said: %o", (shape) => {
    for (const [tieWeights, joint] of [
      [true, true],
      [true, false],
      [false, false],
      [false, true],
    ] as const) {
      const config = {
        ...shape,
        ...{ sourceVocabulary: 7, targetVocabulary: joint ? 7 : 9, embeddingSize: 6, hiddenSize: 8 },
        ...{ dropout: 0, tieWeights },
      };
      const network = new TranslationNetwork(config, { joint });
      const count = [...network.parameters()].reduce((total, { size }) => total + size, 0);
      expect(countParameters(config, joint)).toBe(count);
    }
  });

  it.each(attentions)("of %s attention trains and translates, read from the end too", async (attention) => {
    const made = await Translator.train(numbers(40, 3), { ...tiny, attention, reverseSource: true });
    const [one] = await made.translate(["one two"], { beam: 2, attention: attention !== "none" });
    expect(one!.logProbability).toBeLessThan(0);
    if (one!.attention) expect(one!.attention.source.join("")).toBe("one two");
  });

  it.each(["input-feeding", "conditional"] as const)(
    "with the decoder %s learns as well",
    async (decoder) => {
      const made = await Translator.train(numbers(600, 1), { ...quick, decoder, valid: held });
      expect((await made.evaluate(held)).exact).toBeGreaterThanOrEqual(0.9);
      for (const beam of [1, 3]) {
        const together = await made.translate(held.source, { beam });
        for (const [i, sentence] of held.source.slice(0, 12).entries()) {
          expect(await made.translate(sentence, { beam })).toEqual(together[i]);
        }
      }
    },
  );

  it.each(decoders)(
    "with the decoder %s reads many tokens at once as it reads them one by one",
    (decoder) => {
      const attention = decoder === "context" ? "none" : "additive";
      const config = {
        ...({ cell: "gru", bidirectional: true, numLayers: 1, attention, decoder } as const),
        ...{ sourceVocabulary: 7, targetVocabulary: 9, embeddingSize: 6, hiddenSize: 8 },
        ...{ dropout: 0.5, tieWeights: false },
      };
      const network = new TranslationNetwork(config).eval();
      const tokens = [1, 8, 3, 4, 0, 2];
      step(() => {
        const start = network.encode(tensor(Int32Array.of(1, 2, 3, 4, 5, 6), [3, 2]), Int32Array.of(3, 2));
        const { logits, weights } = network.decode(tensor(Int32Array.from(tokens), [3, 2]), start);
        let state = start;
        const one = [0, 1, 2].map((t) => {
          const out = network.decode(tensor(Int32Array.from(tokens.slice(2 * t, 2 * t + 2)), [1, 2]), state);
          state = out.state;
          return out;
        });
        expect(one.flatMap((out) => [...out.logits.toArray()])).toEqual([...logits.toArray()]);
        if (attention === "none") return;
        expect(
          concat(
            one.map((out) => out.weights!),
            1,
          ).toArray(),
        ).toEqual(weights!.toArray());
      });
    },
  );

  it.each(["word", "bpe"] as const)("of unit %s trains and is loaded", async (unit) => {
    const out = at(`of-${unit}`);
    const made = await Translator.train(numbers(40, 3), { ...tiny, unit, out, cell: "gru" });
    const loaded = await Translator.load(out);
    expect(await loaded.translate("one two")).toEqual(await made.translate("one two"));
  });
});

describe("a model of words", () => {
  it("cut as Moses does is detokenized and begins with a capital", async () => {
    const source = Array.from({ length: 140 }, (_, i) => `L'homme n° ${i % 7}, "grand", dort.`);
    const target = Array.from({ length: 140 }, (_, i) => `The man's number ${i % 7}, "tall", sleeps (well).`);
    const out = at("moses");
    const made = await Translator.train(
      { source, target },
      {
        ...{ ...quick, unit: "word", sourceLanguage: "fr", targetLanguage: "en", out, minCount: 1 },
        ...{ measure: "loss", maxLength: 20, batchTokens: 100, epochs: 15 },
      },
    );
    const { text, attention } = await made.translate(source[3]!, { attention: true });
    expect(text).toMatch(/^The man's number \d, "tall", sleeps \(well\)\.$/);
    expect(attention!.source).toEqual([
      "L'",
      "homme",
      ...["n", "°", "3", ",", '"', "grand", '"', ",", "dort", "."],
    ]);
    const loaded = await Translator.load(out);
    expect(await loaded.translate(source)).toEqual(await made.translate(source));
    await expect(
      Translator.train({ source, target }, { ...tiny, unit: "word", sourceLanguage: "fr", joint: true }),
    ).rejects.toThrow("Translator.train: joint is for tokens that do not depend on the language");
  });

  it("writes the word that it looked at for one that it does not know", async () => {
    const random = new Generator(8);
    const pairs = Array.from({ length: 400 }, () => {
      const [digit, name] = [random.below(10), `n${random.bits().toString(36)}`];
      const first = random.uniform() < 0.5;
      return {
        source: first ? `${name} ${digits[digit]}` : `${digits[digit]} ${name}`,
        target: first ? `${name} ${digit}` : `${digit} ${name}`,
      };
    });
    const made = await Translator.train(
      { source: pairs.map(({ source }) => source), target: pairs.map(({ target }) => target) },
      { ...quick, unit: "word", measure: "loss", maxLength: 20, batchTokens: 60 },
    );
    const sentences = ["seven zyzzyva", "zyzzyva four"];
    const texts = async (options: TranslateOptions) =>
      (await made.translate(sentences, options)).map(({ text }) => text);
    expect(await texts({})).toEqual(["7 <unk>", "<unk> 4"]);
    const looked = await made.translate(sentences, { attention: true });
    const copied = looked.map(({ text, attention }, i) => {
      const row = attention!.weights[text.split(" ").indexOf("<unk>")]!;
      return text.replace("<unk>", sentences[i]!.split(" ")[row.indexOf(Math.max(...row))]!);
    });
    expect(await texts({ replaceUnknown: true })).toEqual(copied);
    await expect(translator.translate("two", { replaceUnknown: true })).rejects.toThrow(
      "Translator.translate: replaceUnknown is of models of words, got one of char",
    );
  });
});

describe("a training", () => {
  it("on its own words, some of the time, is another, and learns too", async () => {
    const options = { ...quick, valid: held };
    const made = await Translator.train(numbers(600, 1), { ...options, scheduledSampling: 0.5 });
    expect((await made.evaluate(held)).exact).toBeGreaterThanOrEqual(0.8);
    const given = await Translator.train(numbers(40, 3), { ...tiny, maxSteps: 4, epochs: 4 });
    const own = await Translator.train(numbers(40, 3), {
      ...tiny,
      maxSteps: 4,
      epochs: 4,
      scheduledSampling: 1,
    });
    expect(own.network.output.bias!.toArray()).not.toEqual(given.network.output.bias!.toArray());
  });

  const weightsOf = async (folder: string) =>
    [...(await readModel(folder)).weights].map(([name, tensor]) => [name, [...tensor.toArray()]]);

  it("that stopped goes on to the same bytes", async () => {
    const { maxSteps: _, ...rest } = tiny;
    const options: TranslationOptions = { ...rest, schedule: "constant", epochs: 4, dropout: 0.2 };
    await Translator.train(numbers(60, 4), { ...options, out: at("whole") });
    await Translator.train(numbers(60, 4), { ...options, out: at("parts"), maxSteps: 3 });
    const events: TranslationEvent[] = [];
    await Translator.train(numbers(60, 4), {
      ...options,
      out: at("parts"),
      resume: true,
      maxSteps: 1000,
      onProgress: (event) => events.push(event),
    });
    expect(events[0]).toMatchObject({ type: "resume", step: 3 });
    expect(await weightsOf(at("parts"))).toEqual(await weightsOf(at("whole")));
    await expect(
      Translator.train(numbers(60, 5), { out: at("parts"), resume: true, epochs: 9 }),
    ).rejects.toThrow("is not the data that the training in");
  });

  it("leaves out pairs with a blank side and long ones, and counts them", async () => {
    const { source, target } = numbers(30, 6);
    source[3] = " ";
    target[9] = "";
    source[5] = "one ".repeat(30);
    const events: TranslationEvent[] = [];
    await Translator.train(
      { source, target },
      { ...tiny, validFraction: 0, onProgress: (event) => events.push(event) },
    );
    expect(events[0]).toMatchObject({ type: "corpus", pairs: 27, empty: 2, long: 1 });
  });

  it("names what cannot be", async () => {
    writeFileSync(at("a"), "one\ntwo\nthree\n");
    writeFileSync(at("b"), "1\n2\n");
    await expect(Translator.train({ source: at("a"), target: at("b") }, tiny)).rejects.toThrow(
      `${at("b")}: must have as many lines as ${at("a")}, 3, got 2, 1 fewer`,
    );
    writeFileSync(at("b"), "1\n\n3é\n");
    writeFileSync(at("c"), "1\n2\n3\n");
    const valid = { source: at("a"), target: at("b") };
    await expect(Translator.train({ source: at("a"), target: at("c") }, { ...tiny, valid })).rejects.toThrow(
      `${at("a")}: line 3: holds characters the model has never seen: "é" (U+00E9)`,
    );
    await expect(Translator.train({ source: [""], target: [""] }, tiny)).rejects.toThrow(
      "sentences: has no pair of sentences to learn from",
    );
    for (const [options, message] of [
      [{ hiddenSize: 9 }, "hiddenSize must be even for an encoder that reads both ways, got 9"],
      [{ lowercase: true }, "lowercase is for bpe and words, got unit char"],
      [{ minCount: 3 }, "minCount is for unit word, got unit char"],
      [{ warmup: 3, schedule: "constant" }, "warmup is for schedule cosine, got schedule constant"],
      [{ maxLength: 900 }, "batchTokens must be above maxLength, 900, got 800"],
      [{ resume: true }, "resume needs an `out`"],
      [
        { decoder: "conditional", attention: "none" },
        "attention must be dot, general or additive for decoder",
      ],
      [
        { decoder: "context" },
        "attention must be none for decoder context, whose context is the source's last",
      ],
      [{ decoder: "conditional", numLayers: 2 }, "numLayers must be 1 for decoder conditional, got 2"],
      [{ attention: "hard" }, "attention must be none, dot, general or additive, got"],
    ] as const) {
      await expect(Translator.train(held, { ...tiny, ...options } as TranslationOptions)).rejects.toThrow(
        `Translator.train: ${message}`,
      );
    }
  });

  it("of another task is not loaded", async () => {
    writeFileSync(at("copy", "config.json"), '{ "formatVersion": 1, "task": "speech" }');
    await expect(Translator.load(at("copy"))).rejects.toThrow(
      'config.json: task must be "translation", got "speech"',
    );
  });
});
