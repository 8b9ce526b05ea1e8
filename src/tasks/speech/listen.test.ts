import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { RATE, writeTones } from "../../../test/tones.ts";
import { Generator } from "../../tensor/random.ts";
import { allLogProbs, LogProbsInParts } from "./infer.ts";
import { listen } from "./listen.ts";
import type { SpeechOptions } from "./options.ts";
import { SpeechRecognizer } from "./task.ts";

let root: string;
let train: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  train = writeTones(root, "train", 8, 1);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const tiny = { filters: 8, hiddenSize: 4, numLayers: 1, maxSteps: 1, validFraction: 0 };
const random = new Generator(1);
/** Longer than goes through the network at once. */
const samples = new Float32Array(90 * RATE).map(() => 0.1 * random.normal());

it.each<[string, SpeechOptions, number]>([
  ["both ways", {}, RATE],
  ["forward, with deltas, at another rate", { bidirectional: false, deltas: 2, stack: 3, stride: 2 }, 11_025],
])("hears in pieces what it hears in the whole: %s", async (_, options, sampleRate) => {
  const model = await SpeechRecognizer.train(train, { ...tiny, ...options });
  const { frontEnd, network, config } = model;
  const audio = { samples, sampleRate };
  const { frames } = await frontEnd.extract([audio]);
  const windows = frontEnd.windows(frontEnd.normalize(frames, config.statistics));
  const whole = (await allLogProbs(network, [windows]))![0]!;
  expect(whole.length / config.labels.length).toBeGreaterThan(2500);
  const { logProbs, seconds } = await listen(model, audio);
  expect(seconds).toBe(samples.length / sampleRate);
  expect(isDeepStrictEqual(logProbs, whole)).toBe(true);
  for (const steps of [1, 777, 1e6]) {
    const parts = new LogProbsInParts(network);
    for (let at = 0; at < windows.values.length; at += steps * windows.size) {
      await parts.push({ ...windows, values: windows.values.subarray(at, at + steps * windows.size) });
    }
    expect(isDeepStrictEqual(await parts.end(), whole)).toBe(true);
  }
});

it("says what is too short, and stops at a signal", async () => {
  const model = await SpeechRecognizer.train(train, tiny);
  const short = { samples: samples.subarray(0, 300), sampleRate: 2 * RATE };
  expect(await problem(model.transcribe(short))).toMatchInlineSnapshot(
    `"DataError: audio: is too short: a frame takes 200 samples at 8000 a second, it has 150"`,
  );
  const signal = AbortSignal.abort(new Error("enough"));
  expect(await problem(model.transcribe({ samples, sampleRate: RATE }, { signal }))).toBe("Error: enough");
});
