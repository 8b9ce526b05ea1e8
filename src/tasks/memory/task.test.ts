import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import type { MemoryEvent, MemoryOptions } from "./options.ts";
import { MemoryModel } from "./task.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const quick: MemoryOptions = {
  problem: "temporal-order",
  length: [10, 14],
  hiddenSize: 16,
  maxSteps: 20,
  validateEvery: 10,
  validSequences: 50,
};

describe("learns", () => {
  it("experiment 3c, short: an LSTM is right about every sequence though the targets are noisy", async () => {
    const events: MemoryEvent[] = [];
    const lstm = await MemoryModel.train({
      problem: "experiment-3c",
      length: [20, 22],
      hiddenSize: 8,
      forgetGateBias: 4,
      learningRate: 0.02,
      maxSteps: 1000,
      validateEvery: 50,
      validSequences: 200,
      onProgress: (event) => events.push(event),
    });
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "early-stopping", solved: true });
    expect((await lstm.evaluate({ sequences: 500 })).wrong).toBeLessThan(0.01);
  });
});

describe("MemoryModel", () => {
  it("is a folder that loads as it was, with the log of its training", async () => {
    const out = join(root, "model");
    const events: MemoryEvent[] = [];
    const model = await MemoryModel.train({
      ...quick,
      cell: "rnn",
      omega: 2,
      out,
      onProgress: (e) => events.push(e),
    });
    expect(readdirSync(out).sort()).toEqual(["config.json", "model.safetensors", "training"]);
    expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8"))).toMatchObject({
      formatVersion: 1,
      task: "memory",
      network: { problem: "temporal-order", cell: "rnn", hiddenSize: 16, numLayers: 1 },
      training: { omega: 2, length: [10, 14], learningRate: 0.001, clip: 1 },
    });
    const kinds = new Set(events.map(({ type }) => type));
    expect(kinds).toEqual(new Set(["step", "validation", "checkpoint", "done"]));
    const log = readFileSync(join(out, "training", "logs", "events.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(log.length).toBe(events.length + 1);
    const loaded = await MemoryModel.load(out);
    const evaluation = await model.evaluate({ sequences: 120 });
    expect(evaluation.sequences).toBe(120);
    expect(await loaded.evaluate({ sequences: 120 })).toEqual(evaluation);
    const copy = join(root, "copy");
    await loaded.save(copy);
    expect(await (await MemoryModel.load(copy)).evaluate({ sequences: 120 })).toEqual(evaluation);
  });

  it.each(["copy", "multiplication"] as const)(
    "of %s trains, and knows about as much as chance",
    async (name) => {
      const model = await MemoryModel.train({
        ...quick,
        problem: name,
        length: 12,
        cell: "gru",
        numLayers: 2,
      });
      const { wrong, loss } = await model.evaluate({ sequences: 200 });
      expect(wrong).toBeGreaterThan(0.1);
      expect(loss).toBeLessThan(1);
    },
  );

  it("begins at the loss of chance, ln 4, and is the same for any number of threads", async () => {
    const losses = await Promise.all(
      [1, 2].map(async (threads) => {
        const steps: number[] = [];
        await MemoryModel.train({
          ...quick,
          threads,
          logEvery: 1,
          onProgress: (event) => event.type === "step" && steps.push(event.loss),
        });
        return steps;
      }),
    );
    expect(losses[1]).toEqual(losses[0]);
    expect(losses[0]![0]).toBeCloseTo(Math.log(4), 1);
  });

  it("stops at the signal with a model to use", async () => {
    const abort = new AbortController();
    const events: MemoryEvent[] = [];
    const model = await MemoryModel.train({
      ...quick,
      maxSteps: 100_000,
      logEvery: 1,
      signal: abort.signal,
      onProgress(event) {
        events.push(event);
        if (event.type === "step" && event.step === 3) abort.abort();
      },
    });
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "aborted", solved: false });
    expect((await model.evaluate({ sequences: 10 })).sequences).toBe(10);
    await expect(model.evaluate({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
      "enough",
    );
  });

  it("measures how far back its gradients reach", async () => {
    const model = await MemoryModel.train({ ...quick, maxSteps: 1, cell: "lstm" });
    const measured = model.gradientNorms({ length: 30, samples: 3 });
    expect(measured.map(({ part }) => part).sort()).toEqual(["c", "h"]);
    for (const { norms } of measured) {
      expect(norms.length).toBe(31);
      expect(norms.every((norm) => norm > 0 && norm < 2)).toBe(true);
    }
  });
});

describe("refuses", () => {
  const train = (change: object) => problem(MemoryModel.train({ ...quick, ...change } as MemoryOptions));

  it("options that do not fit", async () => {
    expect(await train({ problem: "counting" })).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.train: problem must be temporal-order, addition, multiplication, copy or experiment-3c, got "counting""`,
    );
    expect(await train({ length: [5, 20] })).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.train: length must be 10 or more, or from such a length to one that is no less, got 5–20"`,
    );
    expect(await train({ length: [20, 10] })).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.train: length must be 10 or more, or from such a length to one that is no less, got 20–10"`,
    );
    expect(await train({ length: "long" })).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.train: length must be a whole number from 1 to 1000000, or two: from and to"`,
    );
    expect(await train({ omega: 4 })).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.train: omega is for cell rnn, got cell lstm"`,
    );
    expect(await train({ cell: "rnn", forgetGateBias: 2 })).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.train: forgetGateBias is for cell lstm, got cell rnn"`,
    );
    expect(await train({ cell: "gru", nonlinearity: "relu" })).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.train: nonlinearity is for cell rnn, got cell gru"`,
    );
    expect(await train({ clip: 0 })).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.train: clip must be a number above 0, got 0"`,
    );
    const model = await MemoryModel.train({ ...quick, maxSteps: 1 });
    expect(await problem(model.evaluate({ length: 3 }))).toMatchInlineSnapshot(
      `"OptionError: MemoryModel.evaluate: length must be 10 or more, or from such a length to one that is no less, got 3–3"`,
    );
    expect(() => model.gradientNorms({ samples: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: MemoryModel.gradientNorms: samples must be a whole number from 1 to 1000, got 0]`,
    );
  });

  it("folders that are not such models", async () => {
    const out = join(root, "damaged");
    const model = await MemoryModel.train({ ...quick, maxSteps: 1, out });
    expect(await train({ out })).toMatchInlineSnapshot(`
      "FileError: …/damaged: must be a new or empty folder, but holds config.json, model.safetensors, training
      hint: name another folder, or remove this one first"
    `);
    const rewrite = (change: object) =>
      writeFileSync(join(out, "config.json"), JSON.stringify({ ...model.config, ...change }));
    rewrite({ task: "language-model" });
    expect(await problem(MemoryModel.load(out))).toMatchInlineSnapshot(
      `"FormatError: …/damaged/config.json: task must be "memory", got "language-model""`,
    );
    rewrite({ network: { ...model.config.network, hiddenSize: 17 } });
    expect(await problem(MemoryModel.load(out))).toMatchInlineSnapshot(
      `"FormatError: …/damaged/model.safetensors: has 1604 numbers, but config.json describes a network of 1772"`,
    );
    rewrite({ network: { ...model.config.network, cell: "rnn", hiddenSize: 37 } });
    expect(await problem(MemoryModel.load(out))).toMatchInlineSnapshot(
      `"FormatError: …/damaged/model.safetensors: has 1604 numbers, but config.json describes a network of 1817"`,
    );
    rewrite({ network: { ...model.config.network, hiddenSize: 2 ** 40 } });
    expect(await problem(MemoryModel.load(out))).toMatchInlineSnapshot(
      `"FormatError: …/damaged/config.json: network.hiddenSize must be a whole number from 1 to 65536, got 1099511627776"`,
    );
    expect(await problem(MemoryModel.load(join(root, "nowhere")))).toMatchInlineSnapshot(
      `"FileError: …/nowhere/config.json: cannot be read: there is no such file or folder"`,
    );
  });
});
