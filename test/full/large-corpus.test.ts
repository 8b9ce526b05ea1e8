/** A text of 3 GB: too large for memory, and far too long for a string. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LanguageModelEvent } from "../../src/tasks/language-model/events.ts";
import { writeLargeText } from "./large-text.ts";

const GB = 1e9;
const work = mkdtempSync(join(tmpdir(), "unrolled-large-"));
const text = join(work, "large.txt");

beforeAll(() => {
  const { bavail, bsize } = statfsSync(work);
  const free = (bavail * bsize) / GB;
  if (free < 7) {
    throw new Error(`${tmpdir()}: has ${free.toFixed(1)} GB free, and a text of 3 GB and its tokens take 7`);
  }
  writeLargeText(text, 3 * GB);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Trains by the command line in a process of its own: what it told, and its largest resident set in MiB. */
async function train(name: string, ...flags: string[]) {
  const fixed = ["--hidden-size", "64", "--num-layers", "1", "--batch-size", "64", "--valid-tokens", "20000"];
  const child = spawn(process.execPath, [
    "--conditions=source",
    "--import",
    join(import.meta.dirname, "report-memory.ts"),
    join(import.meta.dirname, "../../src/cli/main.ts"),
    ...["train", "language-model", "--json", "--text", text, "--cache", join(work, "cache")],
    ...["--out", join(work, name), ...fixed, ...flags],
  ]);
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", (part) => (output[stream] += part));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code, output.stderr).toBe(0);
  const events = output.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LanguageModelEvent);
  const find = <T extends LanguageModelEvent["type"]>(type: T) =>
    events.filter((event) => event.type === type) as Extract<LanguageModelEvent, { type: T }>[];
  return {
    corpus: find("corpus")[0]!,
    losses: find("step").map(({ loss }) => loss),
    done: find("done")[0]!,
    memory: Number(/resident set: (\d+) MiB/.exec(output.stderr)![1]),
  };
}

it("trains in less than 1.5 GB, and its tokens are found again in less than 2 s", async () => {
  const first = await train("first", "--max-steps", "200");
  const bytes = statSync(text).size;
  const rate = bytes / 1e6 / first.corpus.seconds;
  const second = await train("second", "--max-steps", "50", "--windows", "shuffled");
  console.log(
    `${(bytes / GB).toFixed(1)} GB read and made into tokens in ${first.corpus.seconds.toFixed(0)} s ` +
      `(${rate.toFixed(0)} MB/s), found again in ${second.corpus.seconds.toFixed(2)} s; ` +
      `resident set ${first.memory} and ${second.memory} MiB`,
  );

  expect(first.corpus).toMatchObject({ found: false, vocabularySize: expect.any(Number) });
  expect(first.corpus.tokens + first.corpus.heldOut).toBeGreaterThan(2.2 * GB);
  expect(first.corpus.heldOut / (first.corpus.tokens + first.corpus.heldOut)).toBeCloseTo(0.1, 6);
  expect(first.done).toMatchObject({ reason: "finished", step: 200, tokens: 200 * 64 * 50 });
  expect(first.losses.at(-1)).toBeLessThan(0.9 * Math.log(first.corpus.vocabularySize));
  expect(first.memory).toBeLessThan(1500);
  expect(rate).toBeGreaterThan(10);

  expect(second.corpus).toMatchObject({ found: true, tokens: first.corpus.tokens });
  expect(second.corpus.seconds).toBeLessThan(2);
  expect(second.done).toMatchObject({ reason: "finished", step: 50 });
  expect(second.memory).toBeLessThan(1500);
});
