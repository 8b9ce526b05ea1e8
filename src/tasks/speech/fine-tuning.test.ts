import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { writeTones } from "../../../test/tones.ts";
import type { SpeechOptions } from "./options.ts";
import { SpeechRecognizer } from "./task.ts";

let root: string;
let train: string;
let valid: string;
let first: SpeechRecognizer;
const at = (...parts: string[]) => join(root, ...parts);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  train = writeTones(root, "train", 72, 1);
  valid = writeTones(root, "valid", 40, 2);
  first = await SpeechRecognizer.train(train, {
    ...{ filters: 16, hiddenSize: 24, numLayers: 1, stack: 3, stride: 2, dropout: 0.1 },
    ...{ epochs: 6, batchSize: 8, learningRate: 0.02, valid, out: at("first") },
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const further: SpeechOptions = { loss: "expected", learningRate: 0.006, epochs: 4, batchSize: 8 };
const weights = (model: SpeechRecognizer) => [...model.network.stateDict()].map(([, t]) => t.toArray());

describe("a training that begins with a model", () => {
  it.each(["wer", "cer"] as const)("by the expected %s makes fewer errors", async (expectedOf) => {
    const before = await first.evaluate(valid);
    const better = await SpeechRecognizer.train(train, {
      ...{ ...further, expectedOf, valid, initFrom: at("first") },
    });
    const after = await better.evaluate(valid);
    expect(before[expectedOf].rate).toBeGreaterThan(0.02);
    expect(after[expectedOf].rate).toBeLessThan(0.5 * before[expectedOf].rate);
    expect(better.config).toEqual({ ...first.config, training: better.config.training });
    expect(better.config.training).toMatchObject({ measure: expectedOf, hiddenSize: 24, dropout: 0.1 });
  });

  it("has its weights, labels and statistics, whatever the recordings", async () => {
    const other = writeTones(root, "other", 4, 3);
    const same = await SpeechRecognizer.train(other, {
      ...{ initFrom: at("first"), maxSteps: 1, learningRate: 1e-30, valid, dropout: 0 },
    });
    expect(isDeepStrictEqual(weights(same), weights(first))).toBe(true);
    expect(same.config.statistics).toEqual(first.config.statistics);
    expect(same.config.labels).toEqual(first.config.labels);
  });

  it("goes on to the bit where it stopped", async () => {
    const options = { ...further, initFrom: at("first"), samples: 2, validFraction: 0 };
    const whole = await SpeechRecognizer.train(train, { ...options, maxSteps: 6 });
    const out = at("stopped");
    await SpeechRecognizer.train(train, { ...options, maxSteps: 3, out });
    const gone = await SpeechRecognizer.train(train, { out, resume: true, maxSteps: 6 });
    expect(isDeepStrictEqual(weights(gone), weights(whole))).toBe(true);
  });

  it("is told no other network, and expects nothing of none", async () => {
    const refused = (options: SpeechOptions) => problem(SpeechRecognizer.train(train, options));
    expect(await refused({ initFrom: at("first"), hiddenSize: 5 })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: hiddenSize must be 24, as that of initFrom, got 5"`,
    );
    expect(await refused({ initFrom: at("first"), convolution: 5 })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: convolution must be left out, as that of initFrom, got 5"`,
    );
    expect(await refused({ initFrom: at("nowhere") })).toMatchInlineSnapshot(
      `"FileError: …/nowhere/config.json: cannot be read: there is no such file or folder"`,
    );
    expect(await refused({ loss: "expected" })).toMatchInlineSnapshot(`
      "OptionError: SpeechRecognizer.train: loss expected needs initFrom, a model that was trained with ctc
      hint: of a network that knows nothing all paths are wrong: it would learn nothing"
    `);
    expect(await refused({ samples: 3 })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: samples is for loss expected, got loss ctc"`,
    );
    const words: SpeechOptions = { unit: "word", loss: "expected", expectedOf: "cer", initFrom: at("first") };
    expect(await refused(words)).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: unit must be "char", as that of initFrom, got "word""`,
    );
  });
});
