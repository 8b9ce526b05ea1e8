/** A training that is stopped and goes on has the bits of one that was not. */
import { describe, expect, it } from "vitest";
import type { LanguageModelOptions } from "../../../src/tasks/language-model/options.ts";
import { Disk } from "./disk.ts";
import { differences, source, train } from "./train.ts";

const kinds: Record<string, LanguageModelOptions> = {
  "whole epochs": {},
  "parts of epochs, a plateau schedule and dropout": {
    ...{
      validateEvery: 3,
      schedule: "plateau",
      dropout: 0.3,
      numLayers: 2,
      optimizer: "sgd",
      learningRate: 4,
      epochs: 5,
    },
  },
  "accumulated gradients, a cosine schedule": {
    cell: "gru",
    accumulate: 2,
    schedule: "cosine",
    warmup: 3,
    optimizer: "adamw",
  },
  "early stopping": { cell: "rnn", patience: 1, epochs: 30, learningRate: 0.1 },
  "classes, direct connections, block BPTT and a halving schedule": {
    ...{ cell: "rnn", output: "classes", classes: 4, direct: 300, directOrder: 3, bptt: 5, compression: 6 },
    ...{ optimizer: "sgd", learningRate: 1, schedule: "halving", minImprovement: 1.2, epochs: 8 },
  },
  "independent sentences": {
    ...{ independent: true, output: "classes", classes: 3, direct: 200, optimizer: "adagrad" },
    ...{ batchSize: 2, epochs: 6 },
  },
  "no validation": { validFraction: 0, tieWeights: true, optimizer: "rmsprop" },
};

/** Stops at every so many checkpoints, which are made after every update, and goes on, with 1 and 2 threads in turn. */
async function inPieces(
  options: LanguageModelOptions,
  pieces: number,
): Promise<{ disk: Disk; starts: number }> {
  const disk = new Disk();
  for (let starts = 1; ; starts++) {
    const controller = new AbortController();
    let seen = 0;
    const { events, error } = await train(disk, {
      ...options,
      ...{ resume: starts > 1, checkpointEvery: 1, threads: 1 + (starts % 2), signal: controller.signal },
      onProgress(event) {
        if (event.type === "checkpoint" && event.kind === "last" && ++seen === pieces) controller.abort();
      },
    });
    if (error) throw error;
    const done = events.at(-1)!;
    if (done.type === "done" && done.reason !== "aborted") return { disk, starts };
  }
}

describe("the bytes are the same with", () => {
  it.each(Object.keys(kinds))("%s", async (kind) => {
    const whole = new Disk();
    expect((await train(whole, kinds[kind])).error).toBeUndefined();
    for (const pieces of [1, 4]) {
      const { disk, starts } = await inPieces(kinds[kind]!, pieces);
      expect(starts).toBeGreaterThan(2);
      expect(differences(disk, whole)).toEqual([]);
    }
  });

  it("a stop in the middle of validation, which is made up for", async () => {
    const whole = new Disk();
    await train(whole);
    const disk = new Disk();
    const controller = new AbortController();
    let checks = 0;
    // There are six updates in an epoch, each after a look at the signal; the seventh look is validation's.
    const signal = new Proxy(controller.signal, {
      get: (target, name) => (name === "aborted" ? ++checks > 6 : Reflect.get(target, name, target)),
      getPrototypeOf: () => AbortSignal.prototype,
    });
    const { events } = await train(disk, { signal });
    expect(events.map(({ type }) => type)).toEqual(["step", "checkpoint", "checkpoint", "done"]);
    await train(disk, { resume: true });
    expect(differences(disk, whole)).toEqual([]);
  });
});

describe("a training that goes on", () => {
  it("takes the options it began with, and says which are others", async () => {
    const disk = new Disk();
    await train(disk, { epochs: 1 });
    const more = await train(disk, { epochs: 2, threads: 2, resume: true });
    expect(more.events[0]).toMatchObject({
      ...{
        type: "resume",
        epoch: 1,
        path: "/model/training/000001",
        finished: false,
        skipped: [],
        numerics: [],
      },
      changed: ["epochs was 1, got 2", "threads was 1, got 2"],
    });
    expect((await train(disk, { hiddenSize: 9, seed: 2, resume: true })).error).toMatchInlineSnapshot(`
      [OptionError: LanguageModel.train: resume goes on with the options the training began with: hiddenSize was 8, got 9; seed was 1, got 2
      hint: leave these out, or train anew in another folder]
    `);
  });

  it("has nothing to do when it is finished, and says so", async () => {
    const disk = new Disk();
    await train(disk);
    const before = disk.after("process killed");
    const { events } = await train(disk, { resume: true });
    expect(events.map(({ type }) => type)).toEqual(["resume", "done"]);
    expect(events).toMatchObject([{ finished: true }, { reason: "finished" }]);
    expect(differences(disk, before)).toEqual([]);
  });

  it("refuses other data", async () => {
    const disk = new Disk();
    await train(disk);
    const other = { text: `${(source as { text: string }).text}more of it\n` };
    expect((await train(disk, { resume: true }, other)).error).toMatchInlineSnapshot(`
      [DataError: text: is not the data that the training in /model began with
      hint: give the same texts, to train on and to validate on, or train anew in another folder]
    `);
    expect((await train(disk, { resume: true, valid: source })).error?.message).toMatch("is not the data");
  });

  it("begins where nothing has been trained, and needs a folder", async () => {
    const disk = new Disk();
    const { events } = await train(disk, { resume: true });
    expect(events[0]).toEqual({
      ...{ type: "resume", step: 0, epoch: 0, finished: false, skipped: [], changed: [], numerics: [] },
    });
    const { error } = await train(disk, { resume: true, out: undefined } as object);
    expect(error).toMatchInlineSnapshot(`[OptionError: LanguageModel.train: resume needs an \`out\`]`);
  });

  it("says when results may have other bits on this machine", async () => {
    const first = new Disk();
    await train(first, { epochs: 1 });
    const path = "/model/training/000001/manifest.json";
    const edit = (from: RegExp, to: string) => {
      const disk = first.after("process killed");
      disk.damage(
        path,
        (bytes) => new Uint8Array(Buffer.from(Buffer.from(bytes).toString().replace(from, to))),
      );
      return train(disk, { epochs: 1, resume: true });
    };
    const told = async (from: RegExp, to: string) =>
      ((await edit(from, to)).events[0] as { numerics: string[] }).numerics;
    expect([
      ...(await told(/"simd": "\w+"/, '"simd": "other"')),
      ...(await told(/"kernels": "\w+"/, '"kernels": "0"')),
      ...(await told(/"results": "\w+"/, '"results": "0"')),
    ]).toMatchInlineSnapshot(`
      [
        "the SIMD build was other and is relaxed",
        "the kernels are of another version",
        "a small computation gives other bits",
      ]
    `);
  });
});
