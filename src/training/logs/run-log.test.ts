import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StepEvent } from "../events.ts";
import { crc32c } from "./crc32c.ts";
import type { LogEvent } from "./event.ts";
import { RunLog, type RunLogOptions } from "./run-log.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unrolled-logs-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const text = (name: string) => readFileSync(at(name), "utf8");

const stepEvent = (step: number): StepEvent => ({
  type: "step",
  step,
  epoch: 1,
  epochs: 2,
  loss: 4 / step,
  gradNorm: 0.5,
  parameterNorm: 16,
  norms: { "rnn.weight_ih_l0": { gradient: 0.25, parameter: 8 } },
  learningRate: 0.002,
  tokens: 100 * step,
  tokensPerSecond: 50,
  seconds: 2 * step,
  progress: 0.1,
  secondsLeft: 9,
});

/** The events of an update: the step, a validation, a sample. */
const eventsAt = (step: number): LogEvent[] => [
  stepEvent(step),
  { type: "validation", step, epoch: 1, loss: 1.5, best: true, perplexity: 4.5 } as LogEvent,
  { type: "sample", step, epoch: 1, text: "<b>ab</b>\nжук" },
];

async function logSteps(steps: readonly number[], options: Partial<RunLogOptions> = {}): Promise<void> {
  const log = await RunLog.open({
    folder,
    formats: ["csv", "tensorboard"],
    task: "toy",
    options: { hiddenSize: 8 },
    ...options,
  });
  for (const step of steps) for (const event of eventsAt(step)) await log.write(event);
}

/** The lines of events.jsonl without the times. */
const logged = () =>
  text("events.jsonl")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; step: number; time: string });

const stepsIn = (type: string) => logged().flatMap((event) => (event.type === type ? [event.step] : []));

it("checks by Castagnoli's polynomial", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
});

describe("a log", () => {
  it("has every event on a line of JSON, in order, with its time", async () => {
    await logSteps([1, 2], { formats: [] });
    expect(readdirSync(folder)).toEqual(["events.jsonl"]);
    const [start, ...events] = logged();
    expect(start).toMatchObject({ type: "start", step: 0, task: "toy", options: { hiddenSize: 8 } });
    expect(start).toMatchObject({ process: { pid: process.pid } });
    expect(events.map(({ time, ...event }) => event)).toEqual([...eventsAt(1), ...eventsAt(2)]);
    for (const { time } of logged()) expect(Date.parse(time)).toBeCloseTo(Date.now(), -5);
  });

  it("has a row for each step and each validation", async () => {
    await logSteps([1, 2]);
    expect(text("metrics.csv")).toMatchInlineSnapshot(`
      "step,epoch,seconds,tokens,trainLoss,validLoss,validPerplexity,learningRate,gradNorm,parameterNorm,tokensPerSecond
      1,1,2,100,4,,,0.002,0.5,16,50
      1,1,,,,1.5,4.5,,,,
      2,1,4,200,2,,,0.002,0.5,16,50
      2,1,,,,1.5,4.5,,,,
      "
    `);
  });

  it("is refused a folder that holds another's", async () => {
    await logSteps([1]);
    await expect(logSteps([1])).rejects.toThrow("holds the log of another training");
  });

  it("is begun anew where nothing of its training is left to go on from, unless another began it", async () => {
    await logSteps([1, 2], { out: "a" });
    await expect(logSteps([1], { out: "b", step: 0 })).rejects.toThrow("holds the log of another training");
    expect(stepsIn("step")).toEqual([1, 2]);
    await logSteps([3], { out: "a", step: 0 });
    expect(stepsIn("step")).toEqual([3]);
  });
});

describe("after a crash", () => {
  it("goes on from the update that is resumed: nothing twice, nothing half", async () => {
    await logSteps([10, 20, 30]);
    appendFileSync(at("events.jsonl"), '{"type":"step","st');
    appendFileSync(at("metrics.csv"), "4");
    appendFileSync(at("events.out.tfevents.0001"), new Uint8Array(7));
    await logSteps([30, 40], { step: 20 });
    expect(stepsIn("step")).toEqual([10, 20, 30, 40]);
    expect(stepsIn("validation")).toEqual([10, 20, 30, 40]);
    expect(stepsIn("start")).toEqual([0, 20]);
    const rows = text("metrics.csv").trimEnd().split("\n");
    expect(rows.map((row) => row.split(",")[0])).toEqual("step 10 10 20 20 30 30 40 40".split(" "));
  });

  it("goes on though the log is older than the state, and in formats that are new", async () => {
    await logSteps([10], { formats: [] });
    await logSteps([30], { step: 20 });
    expect(stepsIn("step")).toEqual([10, 30]);
    expect(text("metrics.csv").split("\n")).toHaveLength(4);
    expect(readdirSync(folder)).toContain("events.out.tfevents.0001");
  });

  it("goes on in all formats that are there", async () => {
    await logSteps([10, 20]);
    await logSteps([20, 30], { step: 10, formats: [] });
    const rows = text("metrics.csv").trimEnd().split("\n");
    expect(rows.map((row) => row.split(",")[0])).toEqual("step 10 10 20 20 30 30".split(" "));
    expect(readdirSync(folder)).toContain("events.out.tfevents.0002");
  });

  it("keeps what it cannot read for the user to see", async () => {
    writeFileSync(at("notes.txt"), "mine");
    await logSteps([10]);
    await logSteps([20], { step: 10 });
    expect(text("notes.txt")).toBe("mine");
  });
});

/** Python 3's path, and whether it is there. */
function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasPython())("an independent reader of event files (needs python3)", () => {
  const read = (...names: string[]) => {
    const script = join(import.meta.dirname, "../../../scripts/read_tfevents.py");
    const output = execFileSync("python3", [script, ...names.map(at)], { encoding: "utf8" });
    return output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  };
  const close = (value: number) => ({ value: expect.closeTo(value, 6) });

  it("finds all that was written, with the right checksums", async () => {
    await logSteps([1, 300]);
    const [version, options, ...events] = read("events.out.tfevents.0001")[0];
    expect(version).toMatchObject({ step: 0, version: "brain.Event:2" });
    expect(options.values[0].tag).toBe("options");
    expect(options.values[0].text).toContain('"hiddenSize": 8');
    for (const { wall_time } of events) expect(1000 * wall_time).toBeCloseTo(Date.now(), -5);
    expect(events.map(({ wall_time, ...event }: { wall_time: number }) => event)).toEqual(
      [1, 300].flatMap((step) => [
        {
          step,
          values: [
            { tag: "loss/train", ...close(4 / step) },
            { tag: "learning_rate", ...close(0.002) },
            { tag: "tokens_per_second", value: 50 },
            { tag: "norm/gradient", value: 0.5 },
            { tag: "norm/parameter", value: 16 },
            { tag: "gradient_norm/rnn.weight_ih_l0", value: 0.25 },
            { tag: "parameter_norm/rnn.weight_ih_l0", value: 8 },
          ],
        },
        {
          step,
          values: [
            { tag: "loss/validation", value: 1.5 },
            { tag: "perplexity/validation", value: 4.5 },
          ],
        },
        { step, values: [{ tag: "sample", text: "    <b>ab</b>\n    жук" }] },
      ]),
    );
  });

  it("finds a resume in a file of its own, which takes back what comes again", async () => {
    await logSteps([10, 20, 30]);
    await logSteps([30], { step: 20 });
    await logSteps([40], { step: 30 });
    // Resumed from the same update as before, the mark of that resume stays.
    await logSteps([25], { step: 20 });
    const files = read(
      ...readdirSync(folder)
        .filter((name) => name.startsWith("events.out"))
        .sort(),
    );
    const stepsOf = files.map((events) =>
      events.flatMap((event: { step: number; values?: { tag: string }[] }) =>
        event.values?.[0]?.tag === "loss/train" ? [event.step] : [],
      ),
    );
    expect(stepsOf).toEqual([[10, 20], [], [], [25]]);
    for (const file of [1, 3]) expect(files[file][1]).toMatchObject({ step: 21, session: 1 });
  });
});
