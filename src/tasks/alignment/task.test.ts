import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { step } from "../../autograd/step.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import { Generator } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { checkGradients, checkParity } from "../../testing/check-op.ts";
import type { CaptioningSource } from "../captioning/options.ts";
import { AlignmentNetwork, countParameters, imageSentenceScores, rankingLoss } from "./network.ts";
import type { AlignmentEvent } from "./options.ts";
import { ImageAligner } from "./task.ts";

const colours = ["red", "green", "blue", "white"];
const shapes = ["ball", "box", "star", "cup"];
const at = (...parts: string[]) => join(root, ...parts);
let root: string;
let aligner: ImageAligner;
let valid: CaptioningSource;
const events: AlignmentEvent[] = [];

/** Two things, one in each of two cells [8, 1, 2], which rows of zeros may follow, and a sentence that names them in any order. */
function world(count: number, seed: number, name: string, rows = 1): CaptioningSource {
  const random = new Generator(seed);
  const grid = new Float32Array(count * 16 * rows);
  const images = Array.from({ length: count }, (_, n) => {
    const things = [0, 1].map((cell) => {
      const [colour, shape] = [random.below(4), random.below(4)];
      for (let i = 0; i < 8; i++) {
        grid[(n * 16 + 2 * i) * rows + cell] =
          Number(i === colour || i === 4 + shape) + 0.1 * random.normal();
      }
      return `a ${colours[colour]} ${shapes[shape]}`;
    });
    if (random.below(2) === 1) things.reverse();
    return { image: `${n}.jpg`, captions: [`${things.join(" and ")} .`] };
  });
  writeFileSync(
    at(`${name}.safetensors`),
    writeSafetensors(new Map([["grid", tensor(grid, [count, 8, rows, 2])]])),
  );
  writeFileSync(at(`${name}.txt`), images.map(({ image }) => image).join("\n"));
  return { captions: images, features: [at(`${name}.safetensors`)], names: at(`${name}.txt`) };
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  valid = world(50, 2, "valid");
  aligner = await ImageAligner.train(world(400, 1, "train"), {
    valid,
    ...{ minCount: 1, embeddingSize: 16, hiddenSize: 24, dropout: 0, batchTokens: 210, epochs: 12 },
    ...{ learningRate: 0.01, out: at("model") },
    onProgress: (event) => events.push(event),
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("an aligner", () => {
  it("finds images by sentences and sentences by images", async () => {
    const { images, sentences, imageFromSentence, sentenceFromImage } = await aligner.evaluate(valid);
    expect([images, sentences]).toEqual([50, 50]);
    // Chance has 10 of 50 among the first ten.
    expect(imageFromSentence.recallAt10).toBeGreaterThan(0.9);
    expect(sentenceFromImage.recallAt10).toBeGreaterThan(0.9);
    expect(imageFromSentence.recallAt1).toBeGreaterThan(0.4);
  });

  it("tells of its training", () => {
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(["corpus", "step", "validation", "checkpoint", "done"]),
    );
    const losses = events.flatMap((event) => (event.type === "validation" ? [event.loss] : []));
    expect(Math.min(...losses)).toBeLessThan(50);
  });

  it("gives each word its place, neighbours rather the same", async () => {
    const grid = new Float32Array(16);
    grid[0] = grid[8] = 1; // a red ball on the left
    grid[5] = grid[13] = 1; // a blue star on the right
    const { words, rows, columns, regions, scores } = await aligner.align(
      { grid },
      "A red ball and a blue star.",
      {
        affinity: 0.5,
      },
    );
    expect({ words, rows, columns }).toEqual({
      words: "a red ball and a blue star".split(" "),
      rows: 1,
      columns: 2,
    });
    expect(scores.map(({ length }) => length)).toEqual([2, 2, 2, 2, 2, 2, 2]);
    expect([regions[1], regions[2], regions[5], regions[6]]).toEqual([0, 0, 1, 1]);
    const joined = await aligner.align({ grid }, "a red ball and a blue star", { affinity: 1000 });
    expect(new Set(joined.regions).size).toBe(1);
  });

  it("is the same from its folder", async () => {
    const loaded = await ImageAligner.load(at("model"));
    expect(await loaded.evaluate(valid)).toEqual(await aligner.evaluate(valid));
    await loaded.save(at("copy"));
    expect(await (await ImageAligner.load(at("copy"))).evaluate(valid)).toEqual(
      await aligner.evaluate(valid),
    );
  });

  it("goes on where it stopped, to the same weights", async () => {
    const source = world(60, 3, "small");
    const options = { valid, minCount: 1, embeddingSize: 8, hiddenSize: 8, batchTokens: 70, epochs: 3 };
    await ImageAligner.train(source, { ...options, out: at("whole") });
    const stop = new AbortController();
    await ImageAligner.train(source, {
      ...{ ...options, out: at("parts"), signal: stop.signal },
      onProgress: ({ type }) => type === "checkpoint" && stop.abort(),
    });
    await ImageAligner.train(source, { valid, out: at("parts"), resume: true });
    const weights = (name: string) => readFileSync(at(name, "model.safetensors"));
    expect(weights("parts").equals(weights("whole"))).toBe(true);
  });

  it("says what cannot be", async () => {
    await expect(aligner.align({ grid: new Float32Array(16) }, " .")).rejects.toThrow(
      "the sentence has no words",
    );
    await expect(aligner.align({}, "a")).rejects.toThrow("grid must be [8, 1, 2] features, got none");
    await expect(aligner.align({ grid: new Float32Array(16) }, "a", { affinity: -1 })).rejects.toThrow(
      "ImageAligner.align: affinity must be a number 0 or more",
    );
    const other = world(40, 9, "other-shape", 2);
    await expect(aligner.evaluate(other)).rejects.toThrow(
      "ImageAligner.evaluate: the model sees grid [8, 1, 2], got [8, 2, 2]",
    );
    await expect(ImageAligner.train(other, { valid, maxSteps: 1 })).rejects.toThrow(
      "ImageAligner.train: valid: the model sees grid [8, 2, 2], got [8, 1, 2]",
    );
    await expect(ImageAligner.train(valid, { epochs: 0 })).rejects.toThrow(
      "ImageAligner.train: epochs must be",
    );
    writeFileSync(at("copy", "config.json"), '{ "formatVersion": 1, "task": "captioning" }');
    await expect(ImageAligner.load(at("copy"))).rejects.toThrow('task must be "alignment", got "captioning"');
  });
});

it.each([
  { pooled: 5 },
  { grid: [4, 3, 2] as [number, number, number] },
  { pooled: 5, grid: [4, 3, 2] as [number, number, number] },
])("a network has as many numbers as is said: %o", (features) => {
  const image = { kind: "features" as const, ...features };
  const config = { image, vocabulary: 11, embeddingSize: 6, hiddenSize: 8, dropout: 0 };
  const count = new AlignmentNetwork(config).parameters().reduce((total, { size }) => total + size, 0);
  expect(countParameters(config)).toBe(count);
});

describe("scores and loss", () => {
  const lengths = Int32Array.of(3, 2);
  const test = {
    name: "ranking loss",
    shapes: { regions: [2, 3, 4], words: [3, 2, 4] },
    run: ({ regions, words }: Record<string, ReturnType<typeof tensor>>) =>
      rankingLoss(imageSentenceScores(regions!, words!, lengths), [0, 1]),
  };
  it("have the reference's values and gradients", () => {
    checkParity(test);
    checkGradients(test);
  });

  it("are the sum of the best regions of each word, padding left out", () => {
    const regions = tensor([1, 0, 0, 2], [1, 2, 2]);
    const words = tensor([3, 1, 5, 5, -1, -1, 9, 9], [2, 2, 2]); // sentence 0: (3, 1), (−1, −1); sentence 1: (5, 5)
    expect([...imageSentenceScores(regions, words, Int32Array.of(2, 1)).toArray()]).toEqual([3 - 1, 10]);
  });

  it("count wrong pairs that come within the margin, those of one image left out", () => {
    const scores = tensor([5, 4.5, 9, 2, 3, 9, 0, 0, 9], [3, 3]);
    // Rows: 5.5 − 5 … ; images 0, 1 and once more 1.
    const loss = step(() => rankingLoss(scores, [0, 1, 1]).item());
    // S_01 − S_00 + 1 = 0.5, S_02: 5; S_10 − S_11 + 1 = 0; S_20: −8. Columns: S_10 − S_00 + 1 < 0, S_20 < 0; S_01 − S_11 + 1 = 2.5;
    // S_02 − S_22 + 1 = 1.
    expect(loss).toBeCloseTo((0.5 + 5 + 0 + 2.5 + 1) / 3, 6);
  });
});
