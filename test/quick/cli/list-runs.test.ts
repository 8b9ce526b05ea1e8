import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogEvent } from "../../../src/training/logs/event.ts";
import { RunLog } from "../../../src/training/logs/run-log.ts";
import { jsonLines, unrolled } from "./run.ts";

let root: string;
const at = (...parts: string[]) => join(root, ...parts);
const brief = (text: string) => text.replaceAll(root + sep, "").replaceAll(sep, "/");

interface Given {
  cell: string;
  hiddenSize: number;
  speed: number;
  /** Validation losses, one each ten updates. */
  losses: number[];
  reason?: "finished" | "aborted";
}

/** A training as its log would be. */
async function makeRun(name: string, { cell, hiddenSize, speed, losses, reason }: Given): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2)); // no two begin at the same time
  const log = await RunLog.open({
    folder: at(name, "training", "logs"),
    task: "language-model",
    options: { text: "book.txt", cell, numLayers: 2, hiddenSize, learningRate: 0.002 },
  });
  const events: unknown[] = losses.flatMap((loss, i) => {
    const step = 10 * (i + 1);
    const seconds = (100 * step) / speed;
    const progress = (i + 1) / 3;
    return [
      {
        type: "step",
        step,
        epoch: i + 1,
        epochs: 3,
        loss: loss - 0.1,
        gradNorm: 1,
        tokens: 100 * step,
        tokensPerSecond: speed,
        seconds,
        progress,
      },
      { type: "validation", step, epoch: i + 1, loss, perplexity: Math.exp(loss), best: true },
    ];
  });
  const last = { step: 10 * losses.length, seconds: (1000 * losses.length) / speed };
  if (reason) events.push({ type: "done", reason, ...last });
  for (const event of events) await log.write(event as LogEvent);
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-runs-"));
  await makeRun("models/gru", {
    cell: "gru",
    hiddenSize: 64,
    speed: 20,
    losses: [2, 1.5, 1.75],
    reason: "finished",
  });
  await makeRun("models/deep/lstm", {
    cell: "lstm",
    hiddenSize: 128,
    speed: 10,
    losses: [2, 1.25],
    reason: "aborted",
  });
  await makeRun("models/live", { cell: "lstm", hiddenSize: 64, speed: 30, losses: [3] });
  // What a crash leaves is no event.
  appendFileSync(at("models", "live", "training", "logs", "events.jsonl"), '{"type":"st');
  mkdirSync(at("empty"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("runs", () => {
  it("lists what it finds, the best first", async () => {
    const { code, stdout, stderr } = await unrolled("runs", at("models"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(brief(stdout).replace(/ +/g, " ")).toMatchInlineSnapshot(`
      "run task network updates epoch valid loss perplexity tokens/s time status
      models/deep/lstm language-model lstm 2×128 20 2/3 1.2500 3.490 10 3:20 interrupted
      models/gru language-model gru 2×64 30 3/3 1.5000 4.482 20 2:30 finished
      models/live language-model lstm 2×64 10 1/3 3.0000 20.09 30 0:33 running
      "
    `);
  });

  it.each([
    ["name", "models/deep/lstm models/gru models/live"],
    ["started", "models/gru models/deep/lstm models/live"],
    ["speed", "models/live models/gru models/deep/lstm"],
    ["time", "models/live models/gru models/deep/lstm"],
  ])("sorts by %s", async (by, expected) => {
    const { stdout } = await unrolled("runs", at("models"), "--sort", by, "--json");
    expect(
      jsonLines(stdout)
        .map(({ name }) => brief(String(name)))
        .join(" "),
    ).toBe(expected);
  });

  it("finds a run that is named itself, and names none twice", async () => {
    const { stdout } = await unrolled("runs", at("models", "gru"), at("models"), "--json");
    const [, gru, ...rest] = jsonLines(stdout);
    expect(rest).toHaveLength(1);
    expect(gru).toMatchObject({
      name: at("models", "gru"),
      task: "language-model",
      status: "finished",
      step: 30,
      epoch: 3,
      epochs: 3,
      best: { step: 20, loss: 1.5, perplexity: Math.exp(1.5) },
      tokensPerSecond: 20,
      seconds: 150,
      options: { cell: "gru", hiddenSize: 64 },
    });
  });

  it("shows side by side what is not the same", async () => {
    const { stdout } = await unrolled("runs", at("models"), "--compare");
    expect(brief(stdout).replace(/ +/g, " ")).toMatchInlineSnapshot(`
      " models/deep/lstm models/gru models/live
      network lstm 2×128 gru 2×64 lstm 2×64
      updates 20 30 10
      epoch 2/3 3/3 1/3
      valid loss 1.2500 1.5000 3.0000
      perplexity 3.490 4.482 20.09
      tokens/s 10 20 30
      time 3:20 2:30 0:33
      status interrupted finished running

      cell lstm gru lstm
      hiddenSize 128 64 64
      "
    `);
    const [compared] = jsonLines((await unrolled("runs", at("models"), "--compare", "--json")).stdout);
    expect(compared).toMatchObject({
      differences: { cell: ["lstm", "gru", "lstm"], hiddenSize: [128, 64, 64] },
    });
  });

  it("draws the curves", async () => {
    const file = at("plots", "curves.svg");
    const { code, stderr } = await unrolled("runs", at("models"), "--plot", file, "--log-x", "--x", "tokens");
    expect({ code, stderr: brief(stderr) }).toEqual({
      code: 0,
      stderr: "plots/curves.svg holds the curves\n",
    });
    const svg = readFileSync(file, "utf8");
    const words = /<desc>(.*)<\/desc>/.exec(svg)![1]!;
    expect(brief(words)).toMatchInlineSnapshot(
      `"loss (nats per token) over tokens, logarithmic. models/deep/lstm: from 1.9 at 1000 to 1.15 at 2000, lowest 1.15. models/deep/lstm (marks): from 2 at 1000 to 1.25 at 2000, lowest 1.25. models/gru: from 1.9 at 1000 to 1.65 at 3000, lowest 1.4. models/gru (marks): from 2 at 1000 to 1.75 at 3000, lowest 1.5. models/live: from 2.9 at 1000 to 2.9 at 1000, lowest 2.9. models/live (marks): from 3 at 1000 to 3 at 1000, lowest 3."`,
    );
  });

  it("says what it cannot do", async () => {
    let problems = "";
    for (const args of [
      [at("nowhere")],
      [at("empty")],
      [at("models", "gru"), "--compare"],
      [at("models"), "--sort", "beauty"],
      [at("models"), "--smooth", "0"],
      [at("models"), "--plot", at("none.svg"), "--metric", "parameter-norm"],
    ]) {
      const { code, stderr } = await unrolled("runs", ...args);
      problems += `${code} ${brief(stderr)}`;
    }
    expect(problems).toMatchInlineSnapshot(`
      "1 error: nowhere: cannot be read: there is no such file or folder
      1 error: empty: no training has a log there
      hint: \`unrolled train … --out DIR\` writes one into DIR/training/logs
      2 error: --compare needs two trainings or more, found models/gru alone
      2 error: --sort must be loss, name, started, time, updates or speed, got "beauty"
      2 error: --smooth must be a number 1 or more, got 0
      1 error: none.svg: not drawn, since no log has anything of parameter-norm
      "
    `);
    expect(existsSync(at("none.svg"))).toBe(false);
  });
});
