import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readModel } from "../../io/model-folder.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import { Generator } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { decoders, type NetworkConfig, readConfig } from "./config.ts";
import type { CaptioningEvent } from "./events.ts";
import { checkEncoder } from "./inputs.ts";
import { ImageCaptioner as UsedCaptioner } from "./model.ts";
import { CaptioningNetwork, countParameters } from "./network.ts";
import type { CaptioningOptions, CaptioningSource } from "./options.ts";
import { ImageCaptioner } from "./task.ts";

let root: string;
let captioner: ImageCaptioner;
const events: CaptioningEvent[] = [];
const at = (...parts: string[]) => join(root, ...parts);
const colours = ["red", "green", "blue"];
const shapes = ["ball", "box", "star"];

/** Images of one thing in one of two cells, as features with noise: what it is, and where. */
function world(count: number, seed: number, name: string): CaptioningSource {
  const random = new Generator(seed);
  const [pooled, grid] = [new Float32Array(count * 8), new Float32Array(count * 12)];
  const images = Array.from({ length: count }, (_, n) => {
    const [colour, shape, place] = [random.below(3), random.below(3), random.below(2)];
    for (let i = 0; i < 8; i++) {
      pooled[n * 8 + i] = Number(i === colour || i === 3 + shape || i === 6 + place) + 0.1 * random.normal();
    }
    // [6, 1, 2]: a row of two cells.
    for (let i = 0; i < 6; i++) {
      grid[n * 12 + 2 * i + place] = Number(i === colour || i === 3 + shape) + 0.1 * random.normal();
    }
    const captions = [`A ${colours[colour]} ${shapes[shape]} on the ${["left", "right"][place]} .`];
    return { image: `${n}.jpg`, captions };
  });
  const parts = { pooled: tensor(pooled, [count, 8]), grid: tensor(grid, [count, 6, 1, 2]) };
  writeFileSync(at(`${name}.safetensors`), writeSafetensors(new Map(Object.entries(parts))));
  writeFileSync(at(`${name}.txt`), images.map(({ image }) => image).join("\n"));
  return { captions: images, features: [at(`${name}.safetensors`)], names: at(`${name}.txt`) };
}

const quick: CaptioningOptions = {
  minCount: 1,
  embeddingSize: 16,
  hiddenSize: 32,
  dropout: 0,
  batchTokens: 200,
  epochs: 12,
  learningRate: 0.02,
  measure: "exact",
};
const tiny: CaptioningOptions = { ...quick, embeddingSize: 6, hiddenSize: 8, maxSteps: 3, epochs: 1 };
let train: CaptioningSource;
let valid: CaptioningSource;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  train = world(300, 1, "train");
  valid = world(60, 2, "valid");
  captioner = await ImageCaptioner.train(train, {
    ...quick,
    valid,
    decoder: "attention",
    out: at("model"),
    onProgress: (event) => events.push(event),
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("learns to say what is where", () => {
  it("without an error", async () => {
    const found = await captioner.evaluate(valid, { beam: 3 });
    expect(found).toMatchObject({ images: 60, references: 60, notes: [] });
    expect(found.exact).toBeGreaterThanOrEqual(0.95);
    expect(found.bleu[0]).toBeGreaterThan(98);
    expect(found.cider).toBeGreaterThan(900);
    expect(found.captions[3]).toMatchObject({ image: "3.jpg", notes: [] });
  });

  it("and tells of it", () => {
    const kinds = new Set(events.map(({ type }) => type));
    expect(kinds).toEqual(new Set(["corpus", "step", "validation", "checkpoint", "done"]));
    // Three colours, shapes, two places and "a on the", the unknown word and the line break.
    expect(events[0]).toMatchObject({
      images: 300,
      heldOut: 60,
      captions: 300,
      vocabulary: 13,
      empty: 0,
      long: 0,
    });
    for (const event of events) {
      if (event.type === "validation") expect(event.loss).toBeCloseTo(-100 * event.exact, 9);
    }
  });

  it("of features that are given, and says where it looked", async () => {
    const [pooled, grid] = [new Float32Array(8), new Float32Array(12)];
    pooled.set([0, 1, 0, 0, 0, 1, 0, 1]);
    grid[3] = grid[11] = 1; // green and star, on the right
    const { text, attention } = await captioner.caption({ pooled, grid }, { attention: true });
    expect(text).toBe("a green star on the right");
    expect(attention).toMatchObject({ words: "a green star on the right".split(" "), rows: 1, columns: 2 });
    expect(attention!.weights).toHaveLength(7);
    for (const row of attention!.weights) expect(row[0]! + row[1]!).toBeCloseTo(1, 5);
  });

  it("the same from its folder, by the part that only uses models", async () => {
    const loaded = await UsedCaptioner.load(at("model"));
    const textsOf = async (one: UsedCaptioner) => (await one.evaluate(valid)).captions;
    const texts = await textsOf(captioner);
    expect(await textsOf(loaded)).toEqual(texts);
    await loaded.save(at("copy"));
    expect(await textsOf(await UsedCaptioner.load(at("copy")))).toEqual(texts);
  });

  it("as an ensemble of itself as it does alone", async () => {
    const ensemble = await ImageCaptioner.load(at("model"), at("model"));
    const alone = await captioner.evaluate(valid, { beam: 2 });
    for (const [i, one] of (await ensemble.evaluate(valid, { beam: 2 })).captions.entries()) {
      expect(one.text).toBe(alone.captions[i]!.text);
      expect(one.logProbability).toBeCloseTo(alone.captions[i]!.logProbability, 4);
    }
  });

  it("in several ways, the best first", async () => {
    const { captions } = await captioner.evaluate(valid, { beam: 4, nBest: 3 });
    for (const { text, score, alternatives } of captions) {
      expect(alternatives).toHaveLength(3);
      expect(alternatives![0]).toMatchObject({ text, score });
      expect(alternatives![1]!.score).toBeLessThanOrEqual(score);
      for (const one of alternatives!) expect(one.text).not.toMatch(/<unk>|\n|<eos>/);
    }
  });

  it("by each decoder", async () => {
    for (const [decoder, learningRate] of [
      ["rnn", 0.005],
      ["lstm", 0.02],
    ] as const) {
      const made = await ImageCaptioner.train(train, { ...quick, valid, decoder, learningRate });
      expect((await made.evaluate(valid)).exact).toBeGreaterThan(0.9);
      await expect(made.evaluate(valid, { attention: true })).rejects.toThrow("this one has none");
    }
  });
});

/** Images of 16 × 16 in one colour, some darker. */
function plain(count: number, folder: string) {
  const random = new Generator(count);
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const colour = n % 3;
      const pixels = new Uint8Array(3 * 256);
      for (let i = 0; i < 256; i++) {
        for (let c = 0; c < 3; c++) pixels[3 * i + c] = (c === colour ? 150 : 20) + random.below(60);
      }
      await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } }).toFile(join(folder, `${n}.png`));
      return { image: `${n}.png`, captions: [`all ${colours[colour]}`] };
    }),
  );
}

describe("from pixels", () => {
  it("of files in a folder, its own convolutions learn to see; files that cannot be read are named", async () => {
    const captions = await plain(60, root);
    writeFileSync(at("59.png"), "no image");
    const notes: string[] = [];
    const source = { captions: [...captions, { image: "missing.png", captions: ["nothing"] }], images: root };
    const made = await ImageCaptioner.train(source, {
      ...quick,
      imageSize: 16,
      channels: [4, 4],
      batchTokens: 50,
      epochs: 25,
      measure: "loss",
      out: at("pixels"),
      onProgress(event) {
        if (event.type === "corpus") notes.push(...event.notes);
      },
    });
    expect(notes).toEqual([
      expect.stringMatching(/59\.png: is no image that can be read: /),
      expect.stringMatching(/missing\.png: cannot be read: there is no such file/),
    ]);
    const green = await sharp({ create: { width: 30, height: 20, channels: 3, background: "#18c020" } })
      .png()
      .toBuffer();
    const data = new Uint8Array(3 * 256).map((_, i) => (i % 3 === 2 ? 190 : 40));
    const texts = (
      await made.caption([at("0.png"), new Uint8Array(green), { width: 16, height: 16, data }])
    ).map(({ text }) => text);
    expect(texts).toEqual(["all red", "all green", "all blue"]);
    const loaded = await ImageCaptioner.load(at("pixels"));
    expect((await loaded.caption(at("1.png"))).text).toBe("all green");
    await expect(made.caption({ width: 8, height: 8, data })).rejects.toThrow(
      "image: must be 16 × 16 pixels of R, G and B, got 8 × 8 and 768 bytes",
    );
    await expect(made.caption(at("59.png"))).rejects.toThrow(/59\.png: is no image that can be read/);
  });
});

describe("a network", () => {
  const images: NetworkConfig["image"][] = [
    { kind: "features", pooled: 5 },
    { kind: "features", grid: [4, 3, 2] },
    { kind: "features", pooled: 5, grid: [4, 3, 2] },
    { kind: "pixels", size: 8, channels: [3, 5] },
  ];
  const kinds = images.flatMap((image) => decoders.map((decoder) => ({ image, decoder })));
  it.each(kinds)("has as many numbers as is said: %o", (kind) => {
    if (kind.decoder === "attention" && kind.image.kind === "features" && !kind.image.grid) return;
    for (const attention of ["dot", "general", "additive"] as const) {
      const sizes = { attention, vocabulary: 11, embeddingSize: 6, hiddenSize: 8, dropout: 0 };
      const config: NetworkConfig = { ...kind, ...sizes };
      const count = new CaptioningNetwork(config).parameters().reduce((total, { size }) => total + size, 0);
      expect(countParameters(config)).toBe(count);
    }
  });

  it("that cannot be is refused", () => {
    const read = (image: object, decoder = "lstm") =>
      readConfig(
        {
          formatVersion: 1,
          task: "captioning",
          maxLength: 9,
          network: {
            ...{
              image,
              decoder,
              attention: "dot",
              vocabulary: 9,
              embeddingSize: 4,
              hiddenSize: 4,
              dropout: 0,
            },
          },
        },
        "config.json",
      );
    expect(() => read({ kind: "features" })).toThrow("network.image must have pooled, grid or both");
    expect(() => read({ kind: "features", pooled: 3 }, "attention")).toThrow(
      "network.decoder must be rnn or lstm for images without a grid",
    );
    expect(() => read({ kind: "pixels", size: 12, channels: [4, 4, 4] })).toThrow(
      "network.image.size must be a multiple of 8 for 3 blocks that halve it, got 12",
    );
  });
});

describe("a training", () => {
  const weightsOf = async (folder: string) =>
    [...(await readModel(folder)).weights].map(([name, weight]) => [name, [...weight.toArray()]]);

  it("that stopped goes on to the same bytes", async () => {
    const { maxSteps: _, ...rest } = tiny;
    const options: CaptioningOptions = {
      ...rest,
      schedule: "constant",
      measure: "loss",
      epochs: 3,
      dropout: 0.2,
    };
    const source = world(90, 4, "some");
    await ImageCaptioner.train(source, { ...options, out: at("whole") });
    await ImageCaptioner.train(source, { ...options, out: at("parts"), maxSteps: 3 });
    const told: CaptioningEvent[] = [];
    await ImageCaptioner.train(source, {
      ...options,
      out: at("parts"),
      resume: true,
      maxSteps: 1000,
      onProgress: (event) => told.push(event),
    });
    expect(told[0]).toMatchObject({ type: "resume", step: 3 });
    expect(await weightsOf(at("parts"))).toEqual(await weightsOf(at("whole")));
    await expect(
      ImageCaptioner.train(world(90, 5, "others"), { out: at("parts"), resume: true, epochs: 9 }),
    ).rejects.toThrow("is not the data that the training in");
  });

  it("leaves out captions without a word and long ones, and counts them", async () => {
    const source = world(30, 6, "few");
    const captions = (source.captions as { image: string; captions: string[] }[]).map((one, n) => ({
      ...one,
      captions: n === 3 ? [" ."] : n === 5 ? ["a ".repeat(50)] : one.captions,
    }));
    const told: CaptioningEvent[] = [];
    const onProgress = (event: CaptioningEvent) => told.push(event);
    await ImageCaptioner.train({ ...source, captions }, { ...tiny, validFraction: 0, onProgress });
    expect(told[0]).toMatchObject({ images: 30, captions: 28, empty: 1, long: 1, heldOut: 0 });
  });

  it("names what cannot be", async () => {
    const { features, names } = train;
    const captions = [{ image: "x.jpg", captions: ["a"] }];
    const refuse = (source: CaptioningSource, options: CaptioningOptions, message: string) =>
      expect(ImageCaptioner.train(source, { ...tiny, ...options })).rejects.toThrow(message);
    await refuse({ captions, features, names }, {}, "captions: has no captions of these images");
    await refuse(
      { captions },
      {},
      "captioning: images, a folder, or features, safetensors files, must be given",
    );
    await refuse(
      { captions, features, images: root },
      {},
      "captioning: images or features must be given, not both",
    );
    writeFileSync(at("split.txt"), "0.jpg\nmore.jpg\n");
    await refuse(
      { ...train, split: at("split.txt") },
      {},
      "split.txt: names 1 images that have no caption: more.jpg",
    );
    writeFileSync(at("short.txt"), "0.jpg\n1.jpg\n");
    await refuse(
      { ...train, names: at("short.txt") },
      {},
      "pooled must have a row for each of 2 names, got 300",
    );
    await refuse(train, { attention: "dot" }, "attention is for decoder attention, got decoder lstm");
    await refuse(train, { resume: true }, "resume needs an `out`");
    await refuse(train, { maxLength: 300 }, "batchTokens must be above maxLength, 300, got 200");
    await refuse(train, { decoder: "gru" as never }, "decoder must be rnn, lstm or attention, got");
    await expect(captioner.caption({ pooled: new Float32Array(8) })).rejects.toThrow(
      "image: grid must be [6, 1, 2] features, got none",
    );
    await expect(captioner.caption("a.jpg")).rejects.toThrow("needs the encoder that makes them of a file");
    const made = { pooled: { shape: [128], values: new Float32Array(128) } };
    const seen = { kind: "features", pooled: 1280, grid: [320, 3, 3] } as const;
    expect(() => checkEncoder("cnn.onnx", made, { ...seen, grid: [320, 3, 3] })).toThrow(
      "cnn.onnx: must give pooled [1280] and grid [320, 3, 3], which the model sees, got pooled [128]",
    );
    expect(() => checkEncoder("cnn.onnx", made, { kind: "features", pooled: 128 })).not.toThrow();
    await expect(captioner.evaluate(valid, { beam: 2, nBest: 3 })).rejects.toThrow(
      "nBest must be at most beam",
    );
  });

  it("of another task is not loaded", async () => {
    writeFileSync(at("copy", "config.json"), '{ "formatVersion": 1, "task": "speech" }');
    await expect(ImageCaptioner.load(at("copy"))).rejects.toThrow(
      'config.json: task must be "captioning", got "speech"',
    );
  });
});
