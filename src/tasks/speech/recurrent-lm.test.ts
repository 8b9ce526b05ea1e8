import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { RATE, sayings, tones, writeTones } from "../../../test/tones.ts";
import { CtcBeamSearch, ctcBeamSearch } from "../../decoding/ctc/beam-search.ts";
import type { CtcLanguageModel } from "../../decoding/ctc/language-model.ts";
import { Generator } from "../../tensor/random.ts";
import type { LanguageModelOptions } from "../language-model/options.ts";
import { LanguageModel } from "../language-model/task.ts";
import { Alphabet } from "./alphabet.ts";
import { ctcLanguageModel } from "./language-model.ts";
import { SpeechRecognizer } from "./task.ts";

const labels = ["", " ", "a", "b", "c"];
const V = labels.length;
const text = `${sayings(200, new Generator(4)).join("\n")}\n`;
const small: LanguageModelOptions = { hiddenSize: 12, embeddingSize: 6, epochs: 1, dropout: 0, batchSize: 4 };

/** Frames of log-probabilities, drawn. */
function draw(T: number, seed: number): Float64Array {
  const random = new Generator(seed);
  return Float64Array.from({ length: T }, () => 0).reduce(
    (out, _, t) => {
      const weights = labels.map(() => Math.exp(1.5 * random.normal()));
      const sum = weights.reduce((a, b) => a + b);
      out.set(
        weights.map((w) => Math.log(w / sum)),
        t * V,
      );
      return out;
    },
    new Float64Array(T * V),
  );
}

const transitions = (lm: LanguageModel): Promise<CtcLanguageModel> =>
  ctcLanguageModel("test", new Alphabet("char", labels), lm, undefined);

describe.each<[string, LanguageModelOptions]>([
  ["characters, LSTM", { unit: "char" }],
  ["characters, GRU, two layers", { unit: "char", cell: "gru", numLayers: 2 }],
  ["words", { unit: "word", minCount: 1 }],
  [
    "words in classes, of independent sentences",
    {
      unit: "word",
      minCount: 1,
      independent: true,
      output: "classes",
      classes: 4,
      direct: 50,
      directOrder: 2,
    },
  ],
])("a recurrent language model of %s", (_, options) => {
  let lm: LanguageModel;
  beforeAll(async () => {
    lm = await LanguageModel.train({ text }, { ...small, ...options });
  });

  it("adds to a text what it scores it with", async () => {
    const languageModel = await transitions(lm);
    const search = { alphabet: labels, beam: 400, weight: 0.6, insertionBonus: 0.3 };
    const found = ctcBeamSearch(draw(7, 1), { ...search, languageModel }, 40);
    expect(new Set(found.map(({ text }) => text)).size).toBe(40);
    let compared = 0;
    for (const { text, score, logProbability } of found) {
      const units = languageModel.unit === "word" ? text.split(" ").filter(Boolean) : [...text];
      const sentence = languageModel.unit === "word" ? units.join(" ") : text;
      const language = lm.score(`${sentence}\n`).logProb;
      expect(Math.abs(score - logProbability - 0.6 * language - 0.3 * units.length)).toBeLessThan(1e-4);
      compared += units.length;
    }
    expect(compared).toBeGreaterThan(30);
  });

  it("is the same asked one by one, and frame by frame", async () => {
    const together = await transitions(lm);
    const { step, start } = together.model as { step: CtcLanguageModel["model"]["step"]; start: unknown };
    const alone: CtcLanguageModel = {
      ...together,
      model: {
        start,
        step: (state, token) => step.call(together.model, state, token),
        get logProb() {
          return together.model.logProb;
        },
      },
    };
    const frames = draw(20, 2);
    const search = { alphabet: labels, beam: 12, insertionBonus: 0.5 };
    const expected = ctcBeamSearch(frames, { ...search, languageModel: alone }, 5);
    expect(ctcBeamSearch(frames, { ...search, languageModel: together }, 5)).toEqual(expected);
    const stream = new CtcBeamSearch({ ...search, languageModel: together });
    for (let at = 0; at < frames.length; at += V) {
      stream.push(frames, at);
      stream.hypotheses();
    }
    expect(stream.hypotheses(5)).toEqual(expected);
  });
});

describe("in a recogniser", () => {
  let root: string;
  let recognizer: SpeechRecognizer;
  const folder = () => join(root, "lm");
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "unrolled-"));
    recognizer = await SpeechRecognizer.train(writeTones(root, "train", 120, 1), {
      ...{ filters: 16, hiddenSize: 24, numLayers: 1, stack: 3, stride: 2 },
      ...{ batchSize: 8, epochs: 12, learningRate: 0.02, schedule: "cosine", validFraction: 0 },
    });
    const lm = { ...small, epochs: 30, learningRate: 0.02, out: folder(), validFraction: 0 };
    await LanguageModel.train({ text: "abc\nca ca\n".repeat(150) }, lm);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("it decides what was said, from its folder or as it is", async () => {
    const audio = { samples: tones("abb", new Generator(8)), sampleRate: RATE };
    expect((await recognizer.transcribe(audio)).text).toBe("abb");
    const options = { lmWeight: 4, insertionBonus: 3, beam: 100 };
    expect((await recognizer.transcribe(audio, { ...options, lm: folder() })).text).toBe("abc");
    const lm = await LanguageModel.load(folder());
    expect((await recognizer.transcribe(audio, { ...options, lm })).text).toBe("abc");
  });

  it("must have tokens that fit, and read from left to right", async () => {
    const audio = { samples: tones("a"), sampleRate: RATE };
    const refused = async (options: LanguageModelOptions, text = "abc abc\n".repeat(40)) => {
      const lm = await LanguageModel.train({ text }, { ...small, ...options, maxSteps: 1 });
      return problem(recognizer.transcribe(audio, { lm }));
    };
    expect(await refused({ unit: "byte" })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.transcribe: lm must be a model of characters or words, got one of byte"`,
    );
    expect(await refused({}, "ab ab\n".repeat(60))).toMatchInlineSnapshot(`
      "DataError: lm: holds characters the model has never seen: "c" (U+0063)
      hint: it must know every character that the recogniser does"
    `);
    expect(await refused({ bidirectional: true })).toMatchInlineSnapshot(`
      "UsageError: LanguageModel: a bidirectional model cannot say what comes next
      hint: each token needs those after it: it is for \`fill\`, and for \`evaluate\`"
    `);
    const loaded = await LanguageModel.load(folder());
    expect(await problem(recognizer.transcribe(audio, { lm: loaded, lmUnit: "char" }))).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.transcribe: lmUnit is for files *.arpa, and lm is a model, which says it itself"`,
    );
    expect(
      await problem(recognizer.transcribe(audio, { lm: folder(), lmUnit: "char" })),
    ).toMatchInlineSnapshot(
      `"OptionError: lmUnit is for files *.arpa, and …/lm is none: a model's folder says it itself"`,
    );
  });
});
