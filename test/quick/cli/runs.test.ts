import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonLines, unrolled } from "./run.ts";

let root: string;
const at = (...parts: string[]) => join(root, ...parts);
const settings = "--num-layers 1 --batch-size 4 --seq-length 16 --epochs 1 --threads 1".split(" ");
const training = () => ["language-model", "--text", at("text.txt"), ...settings];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-cli-"));
  writeFileSync(at("text.txt"), "the quick brown fox jumps over the lazy dog\n".repeat(20));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Times and figures differ from machine to machine. */
const plain = (text: string) =>
  text.replaceAll(root, "…").replace(/\d+\.\d{3,}|\d:\d\d/g, (figure) => "#".repeat(figure.length));

describe("train --seeds", () => {
  it("shows each run and how far they lie apart", async () => {
    const small = ["--hidden-size", "8", "--test", at("text.txt"), "--out", at("seeds")];
    const { code, stdout } = await unrolled("train", ...training(), ...small, "--seeds", "3");
    expect(code).toBe(0);
    expect(plain(stdout)).toMatchInlineSnapshot(`
      "seed  valid loss  perplexity  updates  time  
      1     ######      ######      13       ####  
      2     ######      ######      13       ####  
      3     ######      ######      13       ####  

                       mean     std. dev.  min      max
      valid loss       ######   ######     ######   ######
      perplexity       #######  ######     #######  #######
      test loss        ######   ######     ######   ######
      test perplexity  #######  ######     #######  #######

      …/seeds holds the runs, and runs.csv their table
      "
    `);
    const again = await unrolled("train", ...training(), ...small, "--seeds", "3,1,7", "--json");
    const events = jsonLines(again.stdout);
    const starts = events.filter(({ type }) => type === "run");
    expect(starts.map(({ run, finished }) => [run, finished])).toEqual([
      ["seed-3", true],
      ["seed-1", true],
      ["seed-7", false],
    ]);
    expect(events.filter(({ type }) => type === "done").map(({ run }) => run)).toEqual(["seed-7"]);
    const { runs, ...spreads } = events.at(-1)! as { runs: { validLoss: number; testLoss: number }[] };
    const losses = runs.map(({ validLoss }) => validLoss);
    expect(spreads).toMatchObject({
      type: "seeds",
      validLoss: { min: Math.min(...losses), max: Math.max(...losses) },
      testPerplexity: { max: Math.exp(Math.max(...runs.map(({ testLoss }) => testLoss))) },
    });
  });
});

describe("sweep", () => {
  const sweep = (folder: string, ...args: string[]) =>
    unrolled("sweep", ...training(), "--out", at(folder), ...args);

  it("trains every combination of a grid, and none twice", async () => {
    const grid = ["--grid", "hidden-size=4,8", "--grid", "tie-weights=true,false"];
    const { code, stdout } = await sweep("grid", ...grid);
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(plain(lines[0]!)).toMatchInlineSnapshot(
      `"hidden-size  tie-weights  valid loss  perplexity  updates  time  "`,
    );
    const losses = lines.slice(1, 5).map((line) => Number(line.trim().split(/\s+/)[2]));
    expect(losses).toEqual([...losses].sort((a, b) => a - b));
    const names = [4, 8].flatMap((size) =>
      [true, false].map((tied) => `hidden-size=${size},tie-weights=${tied}`),
    );
    expect(readdirSync(at("grid")).sort()).toEqual([...names, "runs.csv", "runs.json"].sort());
    expect(readFileSync(at("grid", "runs.csv"), "utf8").split("\r\n")).toHaveLength(6);
    const more = jsonLines((await sweep("grid", ...grid, "--grid", "cell=gru", "--json")).stdout);
    expect(more.at(-1)).toMatchObject({ type: "sweep", runs: { length: 4 } });
    const same = jsonLines((await sweep("grid", ...grid, "--json")).stdout);
    expect(same.map(({ type, finished }) => [type, finished])).toEqual([
      ...Array(4).fill(["run", true]),
      ["sweep", undefined],
    ]);
    const { best, runs } = same.at(-1) as { best: string; runs: { run: string }[] };
    expect([best, existsSync(at("grid", best, "model.safetensors"))]).toEqual([runs[0]!.run, true]);
  });

  it("draws at random", async () => {
    const ranges = ["--range", "learning-rate=1e-4..1e-2:log", "--range", "hidden-size=4..6"];
    const { code, stdout } = await sweep(
      "random",
      "--random",
      "3",
      ...ranges,
      "--grid",
      "cell=gru,rnn",
      "--json",
    );
    expect(code).toBe(0);
    const { runs } = jsonLines(stdout).at(-1) as { runs: { settings: Record<string, number | string> }[] };
    expect(runs).toHaveLength(3);
    for (const { settings: drawn } of runs) {
      expect([4, 5, 6]).toContain(drawn.hiddenSize);
      expect(["gru", "rnn"]).toContain(drawn.cell);
      expect(drawn.learningRate as number).toBeGreaterThan(1e-4);
      expect(drawn.learningRate as number).toBeLessThan(1e-2);
    }
  });

  it("refuses what it does not understand, before anything is written", async () => {
    const attempts = [
      [],
      ["--grid", "hidden-size"],
      ["--grid", "hiden-size=4"],
      ["--grid", "hidden-size=4,big"],
      ["--grid", "hidden-size=4,0"],
      ["--grid", "hidden-size=4,4"],
      ["--grid", "tie-weights=yes"],
      ["--grid", "cell=lstm,transformer"],
      ["--grid", "text=a,b"],
      ["--grid", "dropout=0,0.1", "--grid", "dropout=0.2"],
      ["--range", "dropout=0..0.5"],
      ["--random", "0", "--range", "dropout=0..0.5"],
      ["--random", "2"],
      ["--random", "2", "--range", "dropout=0.5"],
      ["--random", "2", "--range", "dropout=0..0.5:log"],
      ["--grid", "dropout=0,0.1", "--seeds", "2"],
    ];
    const messages: string[] = [];
    for (const args of attempts) {
      const { code, stderr } = await sweep("refused", ...args);
      expect(code).toBe(2);
      messages.push(`${args.join(" ")}\n${stderr}`);
    }
    expect(messages.join("\n")).toMatchInlineSnapshot(`
      "
      error: --grid must name an option and its values, e.g. --grid hidden-size=64,128

      --grid hidden-size
      error: --grid must be an option and its values, got "hidden-size"

      --grid hiden-size=4
      error: --grid: hiden-size is no option that can be varied (did you mean hidden-size?)

      --grid hidden-size=4,big
      error: --hidden-size must be a number, got "big"

      --grid hidden-size=4,0
      error: run hidden-size=0: --hidden-size must be a whole number from 1 to 65536, got 0

      --grid hidden-size=4,4
      error: --grid: hidden-size has a value twice: 4,4

      --grid tie-weights=yes
      error: --tie-weights must be true or false, got "yes"

      --grid cell=lstm,transformer
      error: run cell=transformer: cell must be rnn, lstm, gru, mrnn, mlstm, mingru, minlstm, qrnn, lnlstm or slstm, got "transformer"

      --grid text=a,b
      error: --grid: text is no option that can be varied (known are unit, split, lowercase, min-count, max-vocabulary, vocabulary-size, share-rare, cell, nonlinearity, embedding-size, hidden-size, num-layers, dropout, variational-dropout, weight-drop, zoneout, zoneout-cell, tie-weights, output, classes, class-binning, direct, direct-order, cutoffs, sampled-softmax, compression, init-range, batch-size, seq-length, bptt, windows, independent, bidirectional, epochs, max-steps, optimizer, nonmono, learning-rate, ar, tar, weight-decay, direct-rate, schedule, decay, decay-after, min-improvement, warmup, clip, clip-value, accumulate, validate-every, patience, ema, seed)

      --grid dropout=0,0.1 --grid dropout=0.2
      error: --grid and --range: dropout is there twice

      --range dropout=0..0.5
      error: --range needs --random N: how many to draw

      --random 0 --range dropout=0..0.5
      error: --random must be a whole number from 1, got 0

      --random 2
      error: --random needs a --range or --grid to draw from, e.g. --range dropout=0..0.5

      --random 2 --range dropout=0.5
      error: --range must be dropout=from..to, two numbers of which the first is smaller, got "0.5"

      --random 2 --range dropout=0..0.5:log
      error: --range must be dropout=from..to, two numbers of which the first is smaller and, with :log, above 0, got "0..0.5:log"

      --grid dropout=0,0.1 --seeds 2
      error: unknown option '--seeds' (did you mean --seed?)
      hint: run \`unrolled sweep language-model --help\`
      "
    `);
    expect(existsSync(at("refused"))).toBe(false);
  });
});

describe("average", () => {
  it("makes the mean of models, and measures it", async () => {
    await unrolled("train", ...training(), "--hidden-size", "8", "--out", at("a"));
    await unrolled("train", ...training(), "--init-from", at("a"), "--out", at("b"));
    const { code, stdout } = await unrolled(
      "average",
      at("a"),
      at("b"),
      "--out",
      at("mean"),
      "--text",
      at("text.txt"),
    );
    expect(code).toBe(0);
    expect(plain(stdout).replace(/ +/g, " ")).toMatchInlineSnapshot(`
      "model loss perplexity
      …/b ###### ######
      …/a ###### ######
      …/mean ###### ######

      …/mean holds the mean of 2 models
      "
    `);
    const json = await unrolled(
      "average",
      at("a"),
      at("a"),
      "--out",
      at("same"),
      "--text",
      at("text.txt"),
      "--json",
    );
    const { models } = JSON.parse(json.stdout);
    expect(models[1].loss).toBe(models[0].loss);
    const text = ["--text", at("text.txt"), "--json"];
    const best = await unrolled("average", at("a"), at("b"), "--best", "1", "--out", at("best"), ...text);
    expect(JSON.parse(best.stdout)).toMatchObject({
      averaged: [at("b")],
      models: [{ model: at("b") }, { model: at("a") }, { model: at("best") }],
    });
    const refused = ["0", "3"].map((k) => ["--best", k, "--text", at("text.txt")]);
    for (const args of [["--best", "1"], ...refused]) {
      const { code, stderr } = await unrolled("average", at("a"), at("b"), "--out", at("none"), ...args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: --best /)]);
    }
    expect(plain((await unrolled("average", at("a"), "--out", at("a"))).stderr)).toMatchInlineSnapshot(`
      "error: …/a: must be a new or empty folder, but holds config.json, model.safetensors, tokenizer.json, …
      hint: name another folder, or remove this one first
      "
    `);
  });
});
