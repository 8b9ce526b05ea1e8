import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { setThreads, threads } from "../../engine/engine.ts";
import { readSafetensors, writeSafetensors } from "../../io/safetensors.ts";
import type { LanguageModelEvent } from "./events.ts";
import type { LanguageModelOptions } from "./options.ts";
import { LanguageModel } from "./task.ts";

const proverb = "the quick brown fox jumps over the lazy dog\n";
const source = { text: proverb.repeat(40) };
const small: LanguageModelOptions = {
  hiddenSize: 32,
  numLayers: 1,
  batchSize: 4,
  seqLength: 16,
  epochs: 10,
  learningRate: 0.01,
};

let root: string;
let lm: LanguageModel;
const events: LanguageModelEvent[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  lm = await LanguageModel.train(source, {
    ...small,
    out: join(root, "model"),
    onProgress: (event) => events.push(event),
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const attempt = async (f: () => unknown) => f();

const weightsOf = (model: LanguageModel) => Buffer.from(writeSafetensors(model.network.stateDict()));

describe("training", () => {
  it("overfits a toy text", async () => {
    const { loss, tokens } = await lm.evaluate(source);
    expect(tokens).toBe(source.text.length - 1);
    expect(loss).toBeLessThan(0.05);
    expect(lm.generate("the", { temperature: 0, maxTokens: 41 })).toBe(proverb.slice(3));
  });

  it("tells how it goes, to the best checkpoint", () => {
    const types = new Set(events.map(({ type }) => type));
    expect(types).toEqual(new Set(["step", "validation", "checkpoint", "done"]));
    const done = events.at(-1) as Extract<LanguageModelEvent, { type: "done" }>;
    const losses = events.flatMap((event) => (event.type === "validation" ? [event.loss] : []));
    expect(done).toMatchObject({ type: "done", reason: "finished", epoch: 10 });
    expect(done.validLoss).toBe(Math.min(...losses));
    expect(done.perplexity).toBe(Math.exp(done.validLoss!));
    expect(done.tokensPerSecond).toBeGreaterThan(100);
  });

  it("has held out the last tenth, scored as evaluate scores", async () => {
    const { validLoss } = events.at(-1) as { validLoss: number };
    expect((await lm.evaluate({ text: source.text.slice(-proverb.length * 4) })).loss).toBe(validLoss);
  });

  it("leaves a folder with the best weights and what a resume needs", async () => {
    const folder = join(root, "model");
    expect(readdirSync(folder).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "tokenizer.json",
      "training",
    ]);
    expect(readFileSync(join(folder, "model.safetensors"))).toEqual(weightsOf(lm));
    expect(readdirSync(join(folder, "training")).sort()).toEqual(["000009", "000010", "latest", "logs"]);
    const { tensors, metadata } = readSafetensors(
      readFileSync(join(folder, "training", "000010", "state.safetensors")),
    );
    expect([...tensors.keys()].filter((name) => /output/.test(name))).toEqual([
      "model.output.bias",
      "model.output.weight",
      "optimizer.output.bias.exp_avg",
      "optimizer.output.bias.exp_avg_sq",
      "optimizer.output.bias.step",
      "optimizer.output.weight.exp_avg",
      "optimizer.output.weight.exp_avg_sq",
      "optimizer.output.weight.step",
    ]);
    expect(JSON.parse(metadata.training!)).toMatchObject({
      formatVersion: 1,
      progress: { epoch: 10, batch: 0 },
    });
  });

  it("gives the same bytes for the same seed and any number of threads, and others for another", async () => {
    const options: LanguageModelOptions = {
      ...small,
      numLayers: 2,
      hiddenSize: 48,
      epochs: 1,
      dropout: 0.3,
      seed: 3,
    };
    const before = threads();
    const one = await LanguageModel.train(source, { ...options, threads: 1 });
    const two = await LanguageModel.train(source, { ...options, threads: 2 });
    const other = await LanguageModel.train(source, { ...options, seed: 4 });
    setThreads(before);
    expect(weightsOf(two)).toEqual(weightsOf(one));
    expect(weightsOf(other)).not.toEqual(weightsOf(one));
  });

  it.each<LanguageModelOptions>([
    {
      cell: "rnn",
      nonlinearity: "relu",
      optimizer: "sgd",
      learningRate: 0.1,
      schedule: "plateau",
      decay: 0.5,
    },
    { cell: "gru", optimizer: "rmsprop", schedule: "step", decay: 0.9, decayAfter: 2, accumulate: 2 },
    {
      cell: "lstm",
      tieWeights: true,
      optimizer: "adamw",
      schedule: "cosine",
      warmup: 5,
      unit: "byte",
      validFraction: 0,
    },
    {
      cell: "lstm",
      numLayers: 2,
      dropout: 0.2,
      optimizer: "adagrad",
      learningRate: 0.1,
      unit: "word",
      patience: 3,
    },
    { cell: "mingru", numLayers: 2, unit: "word" },
  ])("learns with %j", async (options) => {
    const losses: number[] = [];
    const trained = await LanguageModel.train(source, {
      ...small,
      epochs: 6,
      batchSize: 2,
      ...options,
      onProgress: (event) => event.type === "step" && losses.push(event.loss),
    });
    const { loss } = await trained.evaluate(source);
    expect(loss).toBeLessThan(0.7 * Math.log(trained.tokenizer.size));
  });

  it("reads windows in any order, each from a state of zeros", async () => {
    const options: LanguageModelOptions = { ...small, windows: "shuffled", maxSteps: 60 };
    const [model, again, other] = [
      await LanguageModel.train(source, options),
      await LanguageModel.train(source, options),
      await LanguageModel.train(source, { ...options, seed: 2 }),
    ];
    expect(weightsOf(again)).toEqual(weightsOf(model));
    expect(weightsOf(other)).not.toEqual(weightsOf(model));
    expect((await model.evaluate(source)).loss).toBeLessThan(1);
  });

  it("ends early at a signal, with a model", async () => {
    const controller = new AbortController();
    const seen: LanguageModelEvent[] = [];
    const model = await LanguageModel.train(source, {
      ...small,
      epochs: 1000,
      signal: controller.signal,
      onProgress(event) {
        seen.push(event);
        if (event.type === "validation") controller.abort();
      },
    });
    expect(seen.at(-1)).toMatchObject({ type: "done", reason: "aborted", epoch: 1 });
    expect(model.generate("the ", { maxTokens: 3, seed: 1 })).toHaveLength(3);
  });
});

describe("generate", () => {
  const options = { maxTokens: 60, temperature: 1.5 };

  it("writes the same for the same seed, and as a stream", () => {
    const text = lm.generate("the ", { ...options, seed: 7 });
    expect(text).toHaveLength(60);
    expect(lm.generate("the ", { ...options, seed: 7 })).toBe(text);
    expect(lm.generate("the ", { ...options, seed: 8 })).not.toBe(text);
    expect(lm.generate("the ", options)).not.toBe(lm.generate("the ", options));
    expect([...lm.generateStream("the ", { ...options, seed: 7 })].join("")).toBe(text);
  });

  it("takes the likeliest at temperature 0, at topK 1 and at a tiny topP", () => {
    const greedy = lm.generate("the ", { maxTokens: 60, temperature: 0 });
    expect(lm.generate("the ", { ...options, topK: 1 })).toBe(greedy);
    expect(lm.generate("the ", { ...options, topP: 1e-9, seed: 1 })).toBe(greedy);
  });

  it("stops before a stop string", () => {
    expect(lm.generate("the quick", { temperature: 0, stop: "fox" })).toBe(" brown ");
    expect(lm.generate("the quick", { temperature: 0, stop: ["\n", "lazy"] })).toBe(
      " brown fox jumps over the ",
    );
    expect(lm.generate("the quick", { temperature: 0, stop: "cat", maxTokens: 6 })).toBe(" brown");
    expect(lm.generate("the", { maxTokens: 0 })).toBe("");
  });

  it("begins a line when there is no prompt", () => {
    expect(lm.generate("", { temperature: 0, maxTokens: 9 })).toBe("the quick");
  });

  it("says what it cannot do", async () => {
    const fails = (prompt: string, given: object) => problem(attempt(() => lm.generate(prompt, given)));
    expect(
      await Promise.all([
        fails("the Ω", {}),
        fails("the", { temperature: -1 }),
        fails("the", { topk: 3 }),
        fails("the", { topP: 0 }),
        fails("the", { stop: [""] }),
        fails("the", { maxTokens: "many" }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "DataError: prompt: holds characters the model has never seen: "Ω" (U+03A9)
      hint: its vocabulary is the 28 characters of the text it was trained on; a model of unit "byte" takes any text",
        "OptionError: LanguageModel.generate: temperature must be a number 0 or more, got -1",
        "OptionError: LanguageModel.generate: topk is not known (did you mean topK?)",
        "OptionError: LanguageModel.generate: topP must be a number above 0 and at most 1, got 0",
        "OptionError: LanguageModel.generate: stop must be a string or an array of strings, none empty",
        "OptionError: LanguageModel.generate: maxTokens must be a whole number from 0 to 2147483647, got "many"",
      ]
    `);
    const noBreaks = await LanguageModel.train({ text: "ab".repeat(200) }, { ...small, epochs: 1 });
    expect(await problem(attempt(() => noBreaks.generate()))).toMatchInlineSnapshot(
      `"DataError: prompt: must not be empty, since the model has never seen a line break to begin after"`,
    );
  });
});

describe("score", () => {
  it("is the product of what is drawn from", () => {
    const whole = lm.score("the quick fox");
    expect(whole.tokens).toBe(13);
    expect(whole.perplexity).toBeCloseTo(Math.exp(-whole.logProb / 13), 10);
    const stream = lm.network.stream();
    let logProb = 0;
    let logits = stream.step(lm.tokenizer.lineBreak!);
    for (const token of lm.tokenizer.encode("the quick fox")) {
      const weights = Float64Array.from(logits, Math.exp);
      logProb += Math.log(weights[token]! / weights.reduce((a, b) => a + b));
      logits = stream.step(token);
    }
    expect(whole.logProb).toBeCloseTo(logProb, 4);
  });

  it("prefers what was learnt", () => {
    expect(lm.score("the lazy dog").perplexity).toBeLessThan(lm.score("teh lyza odg").perplexity / 10);
  });
});

describe("words", () => {
  it("are read and written as words; what is rare is unknown, and never written", async () => {
    const text = "a rose is red and blue is the sea\n".repeat(60);
    const rare = `${text}once upon\n${text}`;
    const model = await LanguageModel.train({ text: rare }, { ...small, unit: "word", epochs: 4 });
    expect(model.tokenizer.size).toBe(10);
    expect(model.generate("a rose", { temperature: 0, maxTokens: 8 })).toBe(" is red and blue is the sea\n");
    expect(model.generate("a rose ", { temperature: 0, maxTokens: 1 })).toBe("is");
    expect(model.generate("a", { temperature: 9, maxTokens: 300, seed: 1 })).not.toContain("<unk>");
    expect(model.score("a zebra is").tokens).toBe(3);
  });
});
