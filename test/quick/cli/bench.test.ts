import { expect, it } from "vitest";
import { jsonLines, unrolled } from "./run.ts";

const small = ["--cell", "gru", "--hidden-size", "16", "--num-layers", "1", "--batch-size", "2"];
const quick = [...small, "--seq-length", "3", "--vocabulary", "11", "--seconds", "0.01"];

it("bench times an update and a step of a network of the size it is given", async () => {
  const { code, stdout, stderr } = await unrolled("bench", ...quick);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^gru 1×16, vocabulary 11, 2 sequences of 3; .*, Node [\d.]+, \d+ threads?\nupdate {2}[\d.]+ ms, [\d.]+k? tokens\/s\nstep {4}[\d.]+ µs, [\d.]+[kM]? tokens\/s, one after the other\n$/,
  );
});

it("bench --profile adds what each op costs", async () => {
  const { stdout } = await unrolled("bench", ...quick, "--profile");
  const table = stdout.split("\n\n")[1]!.trim().split("\n");
  expect(table[0]).toMatch(/^op +pass +count +ms +share +GFLOP\/s +GB\/s$/);
  for (const row of [
    /^gru +backward +1 +[\d.]+ +[\d.]+ % +[\d.]+ +[\d.]+$/,
    /^linear +forward +1 +[\d.]+ +[\d.]+ % +[\d.]+ +[\d.]+$/,
    /^adam +forward +7 +[\d.]+ +[\d.]+ % +[\d.]+$/,
    /^between the ops +[\d.]+ +[\d.]+ %$/,
    /^all +[\d.]+$/,
  ]) {
    expect(table.filter((line) => row.test(line))).toHaveLength(1);
  }
});

it("bench --json gives the same as one object", async () => {
  const { stdout } = await unrolled("bench", ...quick, "--profile", "--json");
  const [report] = jsonLines(stdout);
  expect(report).toMatchObject({
    ...{ cell: "gru", hiddenSize: 16, numLayers: 1, vocabulary: 11, batchSize: 2, seqLength: 3 },
    training: { milliseconds: expect.any(Number), tokensPerSecond: expect.any(Number) },
    streaming: { milliseconds: expect.any(Number), tokensPerSecond: expect.any(Number) },
  });
  const { runs, ops } = report!.profile as {
    runs: number;
    ops: { op: string; pass: string; count: number }[];
  };
  expect(ops.find(({ op, pass }) => op === "gru" && pass === "forward")!.count).toBe(runs);
});

it("bench refuses sizes that make no network", async () => {
  const { code, stdout, stderr } = await unrolled("bench", "--hidden-size", "0");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatchInlineSnapshot(`
    "error: bench: --hidden-size must be a whole number from 1 to 65536, got 0
    "
  `);
});
