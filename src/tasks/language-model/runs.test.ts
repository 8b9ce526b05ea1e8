import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { type Run, type RunEvent, type RunsEvent, type RunsOptions, trainRuns } from "./runs.ts";
import { LanguageModel } from "./task.ts";

const source = { text: "the quick brown fox jumps over the lazy dog\n".repeat(20) };
const small = { hiddenSize: 8, numLayers: 1, batchSize: 4, seqLength: 16, epochs: 1 };
const seeds = (...list: number[]): Run[] =>
  list.map((seed) => ({ name: `seed-${seed}`, settings: { seed } }));

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function run(folder: string, runs: Run[], options: Partial<RunsOptions> = {}) {
  const events: [string, RunsEvent][] = [];
  const results = await trainRuns(
    source,
    {
      ...small,
      threads: 1,
      out: join(root, folder),
      onProgress: (event, name) => events.push([name, event]),
      ...options,
    },
    runs,
  );
  const starts = events.flatMap(([, event]) => (event.type === "run" ? [event as RunEvent] : []));
  return {
    results,
    events,
    trained: starts.filter(({ finished }) => !finished).map(({ run: name }) => name),
  };
}

describe("trainRuns", () => {
  it("trains each in a folder of its own, as it would be trained alone", async () => {
    const { results, events } = await run("alone", seeds(1, 2));
    expect(readdirSync(join(root, "alone")).sort()).toEqual(["runs.csv", "runs.json", "seed-1", "seed-2"]);
    const alone = await LanguageModel.train(source, { ...small, seed: 2 });
    const second = await LanguageModel.load(join(root, "alone", "seed-2"));
    expect(second.network.stateDict()).toEqual(alone.network.stateDict());
    expect(results.map((result) => result.run)).toEqual(["seed-1", "seed-2"]);
    expect(results[0]!.validLoss).not.toBe(results[1]!.validLoss);
    const done = events.filter(([name, { type }]) => name === "seed-2" && type === "done");
    expect(done[0]![1]).toMatchObject({ validLoss: results[1]!.validLoss, step: results[1]!.updates });
  });

  it("keeps a table, as JSON and for spreadsheets", async () => {
    const runs = [
      { name: "a,b", settings: { dropout: 0.5, cell: "gru" } },
      { name: "c", settings: { seed: 3 } },
    ];
    const { results } = await run("table", runs);
    const json = JSON.parse(readFileSync(join(root, "table", "runs.json"), "utf8"));
    expect(json).toMatchObject({ formatVersion: 1, task: "language-model", text: null, options: small });
    expect(json.runs).toEqual(results);
    const [header, first, second] = readFileSync(join(root, "table", "runs.csv"), "utf8").split("\r\n");
    expect(header).toBe("run,dropout,cell,seed,validLoss,perplexity,updates,epochs,seconds,failure");
    expect(first).toMatch(/^"a,b",0\.5,gru,,\d\.\d+,/);
    expect(second).toMatch(/^c,,,3,\d\.\d+,/);
  });

  it("does not run again what is finished, and goes on with what is not", async () => {
    const controller = new AbortController();
    const first = await run("again", seeds(1, 2, 3), {
      epochs: 3,
      signal: controller.signal,
      onProgress: (event, name) => {
        if (name === "seed-2" && event.type === "validation") controller.abort();
      },
    });
    expect(first.results.map((result) => result.run)).toEqual(["seed-1"]);
    expect(existsSync(join(root, "again", "seed-2"))).toBe(true);
    const second = await run("again", seeds(1, 2, 3), { epochs: 3, threads: 2 });
    expect(second.trained).toEqual(["seed-2", "seed-3"]);
    const resumes = second.events.filter(([, { type }]) => type === "resume");
    expect(resumes).toMatchObject([["seed-2", { epoch: 1 }]]);
    expect(second.results[0]).toEqual(first.results[0]);
    expect((await run("again", seeds(3, 4, 1), { epochs: 3 })).trained).toEqual(["seed-4"]);
    const whole = await run("whole", seeds(2), { epochs: 3 });
    expect(second.results[1]).toEqual({ ...whole.results[0], seconds: second.results[1]!.seconds });
  });

  it("goes on after a training that failed", async () => {
    const runs = [1e6, 0.01].map((learningRate) => ({
      name: `${learningRate}`,
      settings: { learningRate, optimizer: "sgd" },
    }));
    const { results } = await run("failed", runs, { clip: 1e6 });
    expect(results[0]).toMatchObject({ validLoss: null, perplexity: null });
    expect(results[0]!.failure).toMatch(/^training: step \d+, epoch 1: loss is/);
    expect(results[1]!.validLoss).toBeGreaterThan(0);
    expect((await run("failed", runs, { clip: 1e6 })).trained).toEqual([]);
  });

  it("refuses what would stop a later run before the first, and a table of others", async () => {
    await run("one", seeds(1));
    writeFileSync(join(root, "file"), "");
    rmSync(join(root, "damaged"), { recursive: true, force: true });
    await run("damaged", seeds(1));
    writeFileSync(join(root, "damaged", "runs.json"), "{");
    expect([
      await problem(run("new", [...seeds(1), { name: "b", settings: { hiddenSize: 0 } }])),
      await problem(run("new", seeds(1), { validFraction: 0 })),
      await problem(run("one", seeds(2), { epochs: 2, dropout: 0.1 })),
      await problem(run("one/seed-1", seeds(2))),
      await problem(run("file", seeds(2))),
      await problem(run("damaged", seeds(2))),
    ]).toMatchInlineSnapshot(`
      [
        "OptionError: run b: hiddenSize must be a whole number from 1 to 65536, got 0",
        "OptionError: run seed-1: runs are compared by validation: there must be text to validate on",
        "FileError: …/one/runs.json: is of other trainings than these: epochs 1, not 2, dropout its default, not 0.1
      hint: name another folder, or give the same options: runs are compared in what they differ",
        "FileError: …/one/seed-1: must be a new or empty folder, but holds config.json, model.safetensors, tokenizer.json, …
      hint: name another folder, or remove this one first",
        "FileError: …/file/runs.json: cannot be read: a part of the path is a file, not a folder",
        "FormatError: …/damaged/runs.json: is not JSON",
      ]
    `);
    expect(existsSync(join(root, "new"))).toBe(false);
  });
});
