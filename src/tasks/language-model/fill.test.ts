import { describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { LanguageModel } from "./task.ts";

/** What stands in the middle follows from both ends alone: a colour and an animal make a name. */
const colours = ["red", "green", "blue"];
const animals = ["cat", "dog", "cow"];
const names = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida"];
const lines = colours.flatMap((colour, i) =>
  animals.map((animal, j) => `the ${colour} ${names[3 * i + j]} is a ${animal} .`),
);
const text = `${Array.from({ length: 20 }, () => lines.join("\n")).join("\n")}\n`;

const options = {
  unit: "word",
  hiddenSize: 16,
  numLayers: 1,
  batchSize: 9,
  epochs: 40,
  learningRate: 0.01,
  validFraction: 0,
} as const;

describe("a model that reads from both ends", () => {
  it("knows what the left alone does not tell, and is a folder like any other", async () => {
    const both = await LanguageModel.train({ text }, { ...options, bidirectional: true });
    const left = await LanguageModel.train({ text }, { ...options, independent: true });
    for (const [i, name] of names.entries()) {
      const gap = `the ${colours[Math.floor(i / 3)]} __ is a ${animals[i % 3]} .`;
      const [best] = await both.fill(gap, { top: 1 });
      expect(best!.text).toBe(name);
      expect(best!.prob).toBeGreaterThan(0.9);
      expect(best!.left).toBeLessThan(best!.prob);
      expect(best!.right).toBeLessThan(best!.prob);
      const candidates = await left.fill(gap);
      expect(candidates.map(({ prob }) => prob)).toEqual(candidates.map(({ left }) => left));
      expect(candidates[0]!.prob).toBeLessThan(0.6);
      expect(candidates[0]!.right).toBeUndefined();
    }
    const measured = await both.evaluate({ text: `${lines.join("\n")}\n` }, { ranks: true });
    // All but line breaks and the very first, as elsewhere.
    expect(measured.tokens).toBe(9 * 7 - 1);
    expect(measured.perplexity).toBeLessThan(1.2);
    expect(measured.meanReciprocalRank).toBeGreaterThan(0.98);
    const forwards = await left.evaluate({ text: `${lines.join("\n")}\n` }, { ranks: true });
    expect(forwards.meanReciprocalRank).toBeLessThan(0.9);
  });

  it("gives a line the same in a batch and alone, and what its gap says in `evaluate`", async () => {
    const model = await LanguageModel.train(
      { text },
      { ...options, epochs: 1, bidirectional: true, cell: "gru", numLayers: 2 },
    );
    const all = [...lines, "the red cat .", "", "blue"];
    const measure = (given: readonly string[]) => model.evaluate({ text: `\n${given.join("\n")}\n` });
    const together = await measure(all);
    let sum = 0;
    for (const line of all) if (line) sum += await measure([line]).then(({ loss, tokens }) => loss * tokens);
    expect(together.tokens).toBe(9 * 7 + 5);
    expect(together.loss * together.tokens).toBeCloseTo(sum, 4);
    for (const { text: word, prob } of await model.fill("__", { top: 20 })) {
      expect((await measure([word])).loss).toBeCloseTo(-Math.log(prob), 5);
    }
  });

  it("says what it cannot do", async () => {
    const model = await LanguageModel.train({ text }, { ...options, epochs: 1, bidirectional: true });
    expect(() => model.generate("the")).toThrowErrorMatchingInlineSnapshot(`
      [UsageError: LanguageModel: a bidirectional model cannot generate
      hint: each token needs those after it: it is for \`fill\`, and for \`evaluate\`]
    `);
    expect(() => model.score("the")).toThrowErrorMatchingInlineSnapshot(`
      [UsageError: LanguageModel: a bidirectional model cannot score a text
      hint: each token needs those after it: it is for \`fill\`, and for \`evaluate\`]
    `);
    expect(await problem(model.sample({ tokens: 5 }))).toMatchInlineSnapshot(`
      "UsageError: LanguageModel: a bidirectional model cannot sample
      hint: each token needs those after it: it is for \`fill\`, and for \`evaluate\`"
    `);
    expect(await problem(model.evaluate({ text }, { dynamic: 0.1 }))).toMatchInlineSnapshot(`
      "UsageError: LanguageModel: a bidirectional model cannot learn while it is evaluated
      hint: each token needs those after it: it is for \`fill\`, and for \`evaluate\`"
    `);
    expect(await problem(model.fill("the red cat"))).toMatchInlineSnapshot(
      `"DataError: text: must have one gap, __, got none"`,
    );
    expect(await problem(model.fill("the __ __ cat"))).toMatchInlineSnapshot(
      `"DataError: text: must have one gap, __, got 2"`,
    );
    expect(await problem(model.fill("the __", { top: 0 }))).toMatchInlineSnapshot(
      `"OptionError: LanguageModel.fill: top must be a whole number from 1 to 1048576, got 0"`,
    );
    const noLines = await LanguageModel.train(
      { text: "abcabcabc".repeat(30) },
      { epochs: 1, hiddenSize: 8, batchSize: 2 },
    );
    expect(await problem(noLines.evaluate({ text: "abc" }, { ranks: true }))).toMatchInlineSnapshot(
      `"DataError: LanguageModel.evaluate: ranks are those in a line, and the model knows no lines"`,
    );
    const train = (change: object) =>
      problem(LanguageModel.train({ text }, { ...options, bidirectional: true, ...change }));
    expect(await train({ tieWeights: true })).toMatchInlineSnapshot(
      `"OptionError: LanguageModel.train: bidirectional does not go with tieWeights"`,
    );
    expect(await train({ output: "classes" })).toMatchInlineSnapshot(
      `"OptionError: LanguageModel.train: bidirectional does not go with output classes"`,
    );
    expect(await train({ independent: false })).toMatchInlineSnapshot(
      `"OptionError: LanguageModel.train: bidirectional does not go with independent false"`,
    );
    expect(await train({ windows: "shuffled" })).toMatchInlineSnapshot(
      `"OptionError: LanguageModel.train: bidirectional does not go with windows shuffled"`,
    );
  });
});
