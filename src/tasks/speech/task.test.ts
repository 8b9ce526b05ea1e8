import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { RATE, tones, writeTones } from "../../../test/tones.ts";
import { encodeWav } from "../../data/audio/wav.ts";
import { Generator } from "../../tensor/random.ts";
import { NgramModel } from "../ngram-model/model.ts";
import type { SpeechEvent } from "./events.ts";
import { SpeechRecognizer as UsedSpeechRecognizer } from "./model.ts";
import type { SpeechOptions } from "./options.ts";
import { SpeechRecognizer } from "./task.ts";

let root: string;
let train: string;
let valid: string;
let recognizer: SpeechRecognizer;
const events: SpeechEvent[] = [];
const at = (...parts: string[]) => join(root, ...parts);

const quick: SpeechOptions = {
  filters: 16,
  hiddenSize: 24,
  numLayers: 1,
  stack: 3,
  stride: 2,
  batchSize: 8,
  epochs: 16,
  learningRate: 0.02,
  schedule: "cosine",
};
const tiny: SpeechOptions = { ...quick, hiddenSize: 4, maxSteps: 2, epochs: 1 };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  train = writeTones(root, "train", 120, 1);
  valid = writeTones(root, "valid", 24, 2);
  const onProgress = (event: SpeechEvent) => events.push(event);
  recognizer = await SpeechRecognizer.train(train, { ...quick, valid, out: at("model"), onProgress });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("learns to hear tones", () => {
  it("without an error", async () => {
    const { utterances, wer, cer, seconds, results } = await recognizer.evaluate(valid);
    expect(utterances).toBe(24);
    expect(seconds).toBeGreaterThan(5);
    expect({ wer: wer.rate, cer: cer.rate }).toEqual({ wer: 0, cer: 0 });
    expect(results.every(({ reference, text }) => reference === text)).toBe(true);
  });

  it("and tells of it", () => {
    const kinds = new Set(events.map(({ type }) => type));
    expect(kinds).toEqual(new Set(["features", "corpus", "step", "validation", "checkpoint", "done"]));
    expect(events.find(({ type }) => type === "corpus")).toMatchObject({
      utterances: 120,
      heldOut: 24,
      classes: 5,
    });
    const validations = events.filter((event) => event.type === "validation");
    expect(validations.length).toBe(16);
    expect(validations.every(({ loss, cer }) => loss === cer)).toBe(true);
    expect(validations.at(-1)!.ctcLoss).toBeLessThan(0.1);
    expect(validations.at(-1)!.wer).toBe(0);
  });

  it("words, when they are said, and how likely", async () => {
    const audio = { samples: tones("ab c", new Generator(5)), sampleRate: RATE };
    const { text, words, logProbability, seconds, notes, alternatives } = await recognizer.transcribe(audio);
    expect({ text, notes, alternatives }).toEqual({ text: "ab c", notes: [], alternatives: undefined });
    expect(seconds).toBeCloseTo(audio.samples.length / RATE, 6);
    expect(logProbability).toBeLessThan(0);
    expect(logProbability).toBeGreaterThan(-2);
    expect(words.map(({ word }) => word)).toEqual(["ab", "c"]);
    const [ab, c] = words as [(typeof words)[0], (typeof words)[0]];
    // It begins with 50 ms of silence, and a letter takes 90 to 130 ms.
    expect(ab.start).toBeGreaterThan(0.03);
    expect(ab.end).toBeLessThan(0.32);
    expect(c.start).toBeGreaterThan(ab.end);
    expect(c.end).toBeLessThan(seconds);
    for (const { confidence } of words) expect(confidence).toBeGreaterThan(0.5);
  });

  it("the same at another rate, in stereo, as bytes, with a beam", async () => {
    const samples = tones("cab ba", new Generator(6));
    const twice = Float32Array.from({ length: 2 * samples.length }, (_, i) => samples[i >> 1]!);
    const plain = await recognizer.transcribe({ samples, sampleRate: RATE });
    expect(plain.text).toBe("cab ba");
    expect((await recognizer.transcribe(encodeWav(twice, RATE, 2))).text).toBe("cab ba");
    expect((await recognizer.transcribe(encodeWav(twice, 2 * RATE))).text).toBe("cab ba");
    const found = await recognizer.transcribe({ samples, sampleRate: RATE }, { beam: 20, alternatives: 2 });
    expect(found.text).toBe("cab ba");
    expect(found.logProbability).toBeCloseTo(plain.logProbability, 3);
    expect(found.alternatives!.length).toBe(2);
    expect(found.alternatives![0]!.logProbability).toBeLessThan(found.logProbability);
  });

  it("what goes on for a minute and more, cut at its pauses", async () => {
    const random = new Generator(7);
    const texts = Array.from({ length: 110 }, (_, i) => ["ab", "c", "bca"][i % 3]!);
    const pause = new Float32Array(RATE / 2).map(() => 0.02 * random.normal());
    const parts = texts.flatMap((text) => [tones(text, random), pause]);
    const samples = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let length = 0;
    for (const part of parts) {
      samples.set(part, length);
      length += part.length;
    }
    const { text, words } = await recognizer.transcribe({ samples, sampleRate: RATE });
    expect(samples.length / RATE).toBeGreaterThan(80);
    expect(text.replaceAll(" ", "")).toBe(texts.join(""));
    expect(words.at(-1)!.end).toBeGreaterThan(samples.length / RATE - 1);
  });

  it("by a language model and a lexicon", async () => {
    const lm = await NgramModel.train({ text: "abc abc\nabc\n".repeat(20) }, { order: 2, minCount: 1 });
    const audio = { samples: tones("abb", new Generator(8)), sampleRate: RATE };
    expect((await recognizer.transcribe(audio)).text).toBe("abb");
    expect((await recognizer.transcribe(audio, { lexicon: ["abc", "c"] })).text).toBe("abc");
    const decoded = await recognizer.transcribe(audio, { lm, lmWeight: 5, beam: 200 });
    expect(decoded.text).toBe("abc");
    const tried = await recognizer.tune(valid, { lm, weights: [0, 5], insertionBonuses: [0] });
    expect(tried[0]).toMatchObject({ weight: 0, rate: 0 });
    expect(tried[1]!.rate).toBeGreaterThan(0.1);
  });
});

describe("listens", () => {
  let forward: SpeechRecognizer;
  const samples = tones("ab cba", new Generator(11));
  beforeAll(async () => {
    const settings = {
      ...quick,
      bidirectional: false,
      hiddenSize: 32,
      deltas: 1,
      convolution: 24,
      layerNorm: true,
    };
    forward = await SpeechRecognizer.train(train, { ...settings, stack: 5, stride: 2, valid });
  });

  it.each([1, 77, 800, 10_000])(
    "in pieces of %d samples, to the text and times of the whole",
    async (size) => {
      const whole = await forward.transcribe({ samples, sampleRate: RATE });
      const stream = await forward.stream();
      const texts = new Set<string>();
      // Pieces of one sample are for the beginning alone: they take their time.
      const fine = size === 1 ? 900 : 0;
      for (let i = 0; i < fine; i++) texts.add(stream.push(samples.subarray(i, i + 1)).text);
      for (let i = fine; i < samples.length; i += Math.max(size, 100)) {
        texts.add(stream.push(samples.subarray(i, i + Math.max(size, 100))).text);
      }
      const heard = stream.end();
      expect(heard).toEqual({ text: whole.text, seconds: whole.seconds });
      expect(stream.words()).toEqual(whole.words);
      if (size < 10_000) expect(texts.size).toBeGreaterThan(2);
      expect(() => stream.push(samples)).toThrowErrorMatchingInlineSnapshot(
        `[UsageError: stream: it has ended]`,
      );
    },
  );

  it("without an error, within a fraction of a second, with a beam, at another rate", async () => {
    expect((await forward.evaluate(valid)).wer.rate).toBeLessThan(0.05);
    const stream = await forward.stream({ beam: 10, sampleRate: 2 * RATE });
    const twice = Float32Array.from({ length: 2 * samples.length }, (_, i) => samples[i >> 1]!);
    expect(stream.push(twice).text.length).toBeGreaterThan(0);
    expect(stream.end().text).toBe("ab cba");
    const early = await forward.stream();
    // All that was said, and 200 ms of silence: nothing more need be waited for.
    const silence = new Float32Array(RATE / 5);
    expect(early.push(samples).text.length).toBeGreaterThan(4);
    expect(early.push(silence).text).toBe("ab cba");
  });

  it("but not with a model that must know the end, or samples that are no numbers", async () => {
    expect(await problem(recognizer.stream())).toMatchInlineSnapshot(`
      "UsageError: stream: the model must read forward only, it reads in both directions
      hint: train it with bidirectional: false"
    `);
    const own = await SpeechRecognizer.train(train, { ...tiny, bidirectional: false, normalize: "speaker" });
    expect(await problem(own.stream())).toMatchInlineSnapshot(`
      "UsageError: stream: the model must be normalised by statistics of its training, it is by those of each speaker
      hint: train it with normalize "global""
    `);
    const stream = await forward.stream();
    stream.push(new Float32Array(10));
    expect(() => stream.push(Float32Array.of(0, Number.NaN))).toThrowErrorMatchingInlineSnapshot(
      `[DataError: stream: sample 11 is NaN]`,
    );
  });
});

describe("SpeechRecognizer", () => {
  it("is a folder that loads as it was", async () => {
    expect(readdirSync(at("model")).sort()).toEqual(["config.json", "model.safetensors", "training"]);
    expect(recognizer.config).toMatchObject({
      formatVersion: 1,
      task: "speech",
      frontEnd: {
        features: "mel",
        sampleRate: RATE,
        filters: 16,
        deltas: 0,
        normalize: "global",
        stack: 3,
        stride: 2,
      },
      unit: "char",
      labels: ["", " ", "a", "b", "c"],
      network: { inputSize: 48, hiddenSize: 24, numLayers: 1, bidirectional: true, classes: 5 },
      training: { epochs: 16, learningRate: 0.02 },
    });
    const audio = { samples: tones("bc", new Generator(9)), sampleRate: RATE };
    const found = await recognizer.transcribe(audio);
    expect(await (await SpeechRecognizer.load(at("model"))).transcribe(audio)).toEqual(found);
    await recognizer.save(at("copy"));
    expect(await (await UsedSpeechRecognizer.load(at("copy"))).transcribe(audio)).toEqual(found);
  });

  it.each<[string, SpeechOptions]>([
    ["whole words, forward only, layer-normalised", { unit: "word", bidirectional: false, layerNorm: true }],
    ["a convolution, cepstra, deltas", { convolution: 8, stack: 5, stride: 2, features: "mfcc", deltas: 2 }],
    [
      "speakers, other speeds, masks",
      { normalize: "speaker", speeds: [0.9, 1.1], timeMasks: 1, frequencyMasks: 1 },
    ],
    [
      "utterances, dropout, plateau",
      { normalize: "utterance", dropout: 0.2, schedule: "plateau", measure: "loss" },
    ],
    [
      "strings, spectra, SGD",
      { join: [2, 3], features: "spectrogram", normalize: "none", optimizer: "sgd", numLayers: 2 },
    ],
  ])("with %s trains, and loads", async (name, options) => {
    const out = at(`variant ${name}`);
    const model = await SpeechRecognizer.train(train, { ...tiny, ...options, valid, out });
    const wanted = options.join ? { join: options.join } : {};
    const { elapsed: _, ...measured } = await model.evaluate(valid, wanted);
    const { elapsed: __, ...loaded } = await (await SpeechRecognizer.load(out)).evaluate(valid, wanted);
    expect(loaded).toEqual(measured);
  });

  it("is the same for any number of threads, and goes on to the bit where it stopped", async () => {
    const settings = { ...tiny, dropout: 0.1, schedule: "constant", measure: "loss", valid } as const;
    const whole = await SpeechRecognizer.train(train, { ...settings, maxSteps: 6, threads: 2 });
    const out = at("stopped");
    const options = { ...settings, out, threads: 1 };
    await SpeechRecognizer.train(train, { ...options, maxSteps: 3 });
    let resumed: SpeechEvent | undefined;
    const gone = await SpeechRecognizer.train(train, {
      ...{ out, valid, resume: true, maxSteps: 6 },
      onProgress(event) {
        if (event.type === "resume") resumed = event;
      },
    });
    expect(resumed).toMatchObject({
      step: 3,
      finished: false,
      skipped: [],
      changed: ["maxSteps was 3, got 6"],
    });
    const weights = (model: SpeechRecognizer) => [...model.network.stateDict()].map(([, t]) => t.toArray());
    expect(weights(gone)).toEqual(weights(whole));
    const again = { out, valid, resume: true, maxSteps: 7 };
    expect(await problem(SpeechRecognizer.train(valid, again))).toMatchInlineSnapshot(`
      "DataError: …/valid.jsonl: is not the data that the training in …/stopped began with
      hint: give the same recordings, to train on and to validate on, or train anew in another folder"
    `);
    expect(await problem(SpeechRecognizer.train(train, { ...again, hiddenSize: 5 }))).toMatchInlineSnapshot(`
      "OptionError: SpeechRecognizer.train: resume goes on with the options the training began with: hiddenSize was 4, got 5
      hint: leave these out, or train anew in another folder"
    `);
  });

  it("stops at the signal with a model to use", async () => {
    const abort = new AbortController();
    const told: SpeechEvent[] = [];
    const model = await SpeechRecognizer.train(train, {
      ...tiny,
      maxSteps: 1000,
      epochs: 100,
      valid,
      logEvery: 1,
      signal: abort.signal,
      onProgress(event) {
        told.push(event);
        if (event.type === "step" && event.step === 2) abort.abort(new Error("enough"));
      },
    });
    expect(told.at(-1)).toMatchObject({ type: "done", reason: "aborted" });
    expect(await problem(model.evaluate(valid, { signal: abort.signal }))).toBe("Error: enough");
  });
});

describe("refuses", () => {
  const trained = (change: object) =>
    problem(SpeechRecognizer.train(train, { ...tiny, ...change } as SpeechOptions));

  it("options that do not fit", async () => {
    expect(await trained({ features: "fbank" })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: features must be mel, mfcc, htk, sphinx or spectrogram, got "fbank""`,
    );
    expect(await trained({ stride: 4 })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: stride must be at most stack, 3, so that nothing is left out, got 4"`,
    );
    expect(await trained({ schedule: "constant", warmup: 3 })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: warmup is for schedule cosine, got schedule constant"`,
    );
    expect(await trained({ join: [5, 3] })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: join must not go from more to fewer"`,
    );
    expect(await trained({ resume: true })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: resume needs an \`out\`"`,
    );
    expect(await trained({ log: ["csv"] })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: log needs a folder to write into: out or logDir"`,
    );
    expect(await trained({ valid: { path: valid, split: "valid" } })).toMatchInlineSnapshot(
      `"OptionError: …/valid.jsonl: split is for the folder of a data set whose layout is known"`,
    );
    expect(await trained({ valid: 3 })).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: valid must be the path of a manifest or folder, or { path, split: "…" }"`,
    );
    expect(await problem(recognizer.tune(valid, {}))).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.tune: lm must be given, its weight is what is tuned"`,
    );
    expect(await problem(recognizer.transcribe("a.wav", { beam: 0 }))).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.transcribe: beam must be a whole number from 1 to 100000, got 0"`,
    );
    expect(await problem(recognizer.transcribe({ sampleRate: 8000 } as never))).toMatchInlineSnapshot(
      `"OptionError: audio: must be a path, the bytes of a file, or { samples, sampleRate } with samples a Float32Array"`,
    );
    const lm = await NgramModel.train({ text: "aaa\nbbb\n" }, { unit: "char", order: 2 });
    expect(await problem(recognizer.transcribe(at("valid/0.wav"), { lm }))).toMatchInlineSnapshot(`
      "DataError: lm: holds characters the model has never seen: " " (U+0020)
      hint: it must know every character that the recogniser does"
    `);
    const words = await SpeechRecognizer.train(train, { ...tiny, unit: "word" });
    expect(await problem(words.transcribe(at("valid/0.wav"), { lm }))).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.transcribe: lm must be a model of words, as the labels are, got one of char"`,
    );
    expect(await problem(words.transcribe(at("valid/0.wav"), { lexicon: ["a"] }))).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.transcribe: lexicon is for models of characters, the labels of this one are words"`,
    );
  });

  it("folders that are not such models", async () => {
    const { config } = recognizer;
    const rewritten = (change: object) => {
      writeFileSync(at("copy", "config.json"), JSON.stringify({ ...config, ...change }));
      return problem(SpeechRecognizer.load(at("copy")));
    };
    expect(await rewritten({ task: "memory" })).toMatchInlineSnapshot(
      `"FormatError: …/copy/config.json: task must be "speech", got "memory""`,
    );
    expect(await rewritten({ labels: ["", "a"] })).toMatchInlineSnapshot(
      `"FormatError: …/copy/config.json: labels must be the blank "" and 4 others, got 2"`,
    );
    expect(await rewritten({ labels: ["", "a", "a", "b", "c"] })).toMatchInlineSnapshot(
      `"FormatError: …/copy/config.json: labels must differ from each other"`,
    );
    expect(await rewritten({ network: { ...config.network, hiddenSize: 23 } })).toMatchInlineSnapshot(
      `"FormatError: …/copy/model.safetensors: has 14453 numbers, but config.json describes a network of 13667"`,
    );
    expect(await rewritten({ network: { ...config.network, inputSize: 40 } })).toMatchInlineSnapshot(
      `"FormatError: …/copy/config.json: network.inputSize must be 48, as the front end gives, got 40"`,
    );
    expect(await rewritten({ statistics: { mean: [1], deviation: [1] } })).toMatchInlineSnapshot(
      `"FormatError: …/copy/config.json: statistics.mean must have 16 numbers, got 1"`,
    );
    expect(await rewritten({ statistics: undefined })).toMatchInlineSnapshot(
      `"FormatError: …/copy/config.json: statistics must be there with normalize "global", got none"`,
    );
    expect(await rewritten({ frontEnd: { ...config.frontEnd, low: 5000 } })).toMatchInlineSnapshot(
      `"FormatError: …/copy/config.json: frontEnd: features: filters must lie within 0 and 4000 Hz; mel at 8000 samples a second has others"`,
    );
    expect(await problem(SpeechRecognizer.load(at("nowhere")))).toMatchInlineSnapshot(
      `"FileError: …/nowhere/config.json: cannot be read: there is no such file or folder"`,
    );
  });
});
