import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../io/safetensors.ts";
import type { LanguageModelEvent } from "./events.ts";
import type { LanguageModelOptions } from "./options.ts";
import { LanguageModel } from "./task.ts";

const source = { text: "the quick brown fox jumps over the lazy dog\n".repeat(40) };
const small: LanguageModelOptions = {
  hiddenSize: 16,
  numLayers: 1,
  batchSize: 4,
  seqLength: 16,
  epochs: 2,
  dropout: 0.2,
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-logging-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function train(options: LanguageModelOptions) {
  const events: LanguageModelEvent[] = [];
  const onProgress = (event: LanguageModelEvent) => events.push(event);
  const model = await LanguageModel.train(source, { ...small, onProgress, ...options });
  return { events, weights: Buffer.from(writeSafetensors(model.network.stateDict())) };
}

const ofType = <T extends LanguageModelEvent["type"]>(events: LanguageModelEvent[], type: T) =>
  events.filter((event): event is Extract<LanguageModelEvent, { type: T }> => event.type === type);

describe("the log of a training", () => {
  it("stands in the model's folder, and has every event", async () => {
    const out = join(root, "model");
    const { events } = await train({ out });
    const folder = join(out, "training", "logs");
    expect(readdirSync(folder)).toEqual(["events.jsonl"]);
    const lines = readFileSync(join(folder, "events.jsonl"), "utf8").trimEnd().split("\n");
    const [start, ...rest] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(start).toMatchObject({
      type: "start",
      step: 0,
      task: "language-model",
      options: { text: "text", cell: "lstm", hiddenSize: 16, vocabularySize: 28, learningRate: 0.002 },
    });
    expect(rest.map(({ time, ...event }) => event)).toEqual(JSON.parse(JSON.stringify(events)));
  });

  it("stands elsewhere if asked, also without a model's folder", async () => {
    const logDir = join(root, "elsewhere");
    await train({ logDir, log: ["csv", "tensorboard"], epochs: 1 });
    expect(readdirSync(logDir).sort()).toEqual(["events.jsonl", "events.out.tfevents.0001", "metrics.csv"]);
    await expect(train({ log: ["csv"] })).rejects.toThrow("log needs a folder to write into: out or logDir");
  });

  it("refuses another's place before anything is trained", async () => {
    const logDir = join(root, "taken");
    await train({ logDir, epochs: 1 });
    const out = join(root, "untouched");
    await expect(train({ logDir, out })).rejects.toThrow("holds the log of another training");
    expect(existsSync(out)).toBe(false);
  });
});

it("goes on where a training is resumed, as if it had not stopped", async () => {
  const logged = (out: string) =>
    readFileSync(join(out, "training", "logs", "events.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as LanguageModelEvent);
  const told = (out: string) =>
    logged(out).flatMap((event) => {
      if (event.type === "step" || event.type === "validation") return [[event.type, event.step, event.loss]];
      return event.type === "sample" ? [[event.type, event.step, event.text]] : [];
    });
  const options = { validateEvery: 10, sampleEvery: 2, logEvery: 1 };
  const [whole, stopped] = [join(root, "whole"), join(root, "stopped")];
  await train({ ...options, out: whole });
  const stop = new AbortController();
  const onProgress = ({ type, step }: { type: string; step?: number }) => {
    if (type === "step" && step === 33) stop.abort();
  };
  await train({ ...options, out: stopped, signal: stop.signal, onProgress });
  expect(told(stopped).at(-1)?.slice(0, 2)).toEqual(["step", 33]);
  await train({ ...options, out: stopped, resume: true });
  expect(told(stopped)).toEqual(told(whole));
});

describe("what is logged", () => {
  it("has a step event every so many updates, and before each validation", async () => {
    const { events } = await train({ logEvery: 10 });
    const steps = ofType(events, "step").map(({ step }) => step);
    expect(steps).toEqual([10, 20, 25, 30, 40, 50]);
    expect(ofType(events, "validation").map(({ step }) => step)).toEqual([25, 50]);
  });

  it("has the norms of all parameters and gradients, and those they are made of", async () => {
    const { events } = await train({ logEvery: 10, logNorms: true });
    for (const { norms, gradNorm, parameterNorm } of ofType(events, "step")) {
      const all = Object.values(norms!);
      expect(Object.keys(norms!)).toContain("rnn.weight_ih_l0");
      expect(Math.hypot(...all.map(({ gradient }) => gradient))).toBeCloseTo(gradNorm, 6);
      expect(Math.hypot(...all.map(({ parameter }) => parameter))).toBeCloseTo(parameterNorm, 6);
    }
  });

  it("has samples, which leave the training as it is", async () => {
    const plain = await train({ validateEvery: 10 });
    const sampled = await train({ validateEvery: 10, sampleEvery: 2, logNorms: true });
    const samples = ofType(sampled.events, "sample");
    expect(samples.map(({ step }) => step)).toEqual([20, 40]);
    for (const { text } of samples) expect(text).toHaveLength(200);
    expect(sampled.weights.equals(plain.weights)).toBe(true);
  });
});
