import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFolder, encoderOf, OnnxEncoder, type OnnxRuntime } from "./onnx-encoder.ts";

let root: string;
let encoder: OnnxEncoder;
const at = (...names: string[]) => join(root, ...names);

interface Described {
  inputs?: readonly (number | string)[][];
  outputs?: string[];
  grid?: number[];
}

/**
 * Stands in for onnxruntime-node, with a model whose features can be told beforehand: `pooled` the means of R, G and B,
 * `grid` those of the upper and the lower half.
 */
function standIn({
  inputs = [["N", 3, 4, 4]],
  outputs = ["logits", "pooled", "grid"],
  grid,
}: Described = {}) {
  const runs: number[] = [];
  class Tensor {
    readonly data: Float32Array;
    readonly dims: readonly number[];

    constructor(_: "float32", data: Float32Array, dims: readonly number[]) {
      this.data = data;
      this.dims = dims;
    }
  }
  const runtime: OnnxRuntime = {
    Tensor,
    InferenceSession: {
      async create(model) {
        if (new TextDecoder().decode(model) !== "model") throw new Error("Protobuf parsing failed.");
        return {
          inputNames: inputs.map((_, i) => `image${i || ""}`),
          outputNames: outputs,
          inputMetadata: inputs.map((shape) => ({ type: "float32", shape })),
          async run({ image }, fetches) {
            const { data, dims } = image!;
            runs.push(dims[0]!);
            const mean = (plane: number, from: number, to: number) =>
              Array.from(data)
                .slice(16 * plane + from, 16 * plane + to)
                .reduce((a, b) => a + b, 0) /
              (to - from);
            const planes = Array.from({ length: 3 * dims[0]! }, (_, plane) => plane);
            const all = {
              pooled: { data: planes.map((plane) => mean(plane, 0, 16)), dims: [dims[0]!, 3] },
              grid: {
                data: planes.flatMap((plane) => [mean(plane, 0, 8), mean(plane, 8, 16)]),
                dims: grid ?? [dims[0]!, 3, 2, 1],
              },
            };
            return Object.fromEntries(fetches.map((name) => [name, all[name as "pooled"]]));
          },
        };
      },
    },
  };
  return { runtime, runs };
}

const { runtime, runs } = standIn();
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  writeFileSync(at("cnn.onnx"), "model");
  encoder = await OnnxEncoder.load(at("cnn.onnx"), runtime);
  for (let n = 0; n < 20; n++) {
    const background = { r: 10 * n, g: 100, b: 255 };
    await sharp({ create: { width: 6, height: 5, channels: 3, background } })
      .png()
      .toFile(at(`${n}.png`));
  }
  writeFileSync(at("7.png"), "no image");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const names = Array.from({ length: 20 }, (_, n) => `${n}.png`);

describe("an encoder", () => {
  it("makes features of the images of a folder, some at a time; what cannot be read is named", async () => {
    const done: number[] = [];
    const { table, rows, notes } = await encodeFolder(root, names, encoder, { onImage: (n) => done.push(n) });
    expect(runs).toEqual([16, 3]);
    expect(done.at(-1)).toBe(20);
    expect(rows.get("8.png")).toBe(7);
    expect(notes).toEqual([expect.stringMatching(/7\.png: is no image that can be read: /)]);
    const { pooled, grid } = table.batch([7]);
    expect([...pooled!.toArray()]).toEqual([80, 100, 255].map((byte) => expect.closeTo(byte / 255, 6)));
    expect(grid!.shape).toEqual([1, 3, 2, 1]);
  });

  it("is not asked again for what a cache holds, until an image is another", async () => {
    const cache = at("cache");
    const found = await encodeFolder(root, names, encoder, { cache });
    const before = runs.length;
    const again = await encodeFolder(root, names, encoder, { cache });
    expect(runs).toHaveLength(before);
    expect([...again.rows]).toEqual([...found.rows]);
    expect(again.notes).toEqual(found.notes);
    expect(again.table.batch([0, 18])).toEqual(found.table.batch([0, 18]));
    const background = "#ff0000";
    await sharp({ create: { width: 6, height: 5, channels: 3, background } })
      .png()
      .toFile(at("0.png"));
    const changed = await encodeFolder(root, names, encoder, { cache });
    expect(runs.length).toBeGreaterThan(before);
    expect(changed.table.batch([0]).pooled!.toArray()[0]).toBe(1);
    expect(readdirSync(cache)).toHaveLength(4);
  });

  it("that does not fit is refused with the names and shapes it has", async () => {
    const refuse = (described: Described, message: string) =>
      expect(OnnxEncoder.load(at("cnn.onnx"), standIn(described).runtime)).rejects.toThrow(message);
    await refuse(
      { inputs: [[1, 1, 28, 28]] },
      "must take one input [N, 3, S, S] of pixels, got image [1, 1, 28, 28]",
    );
    await refuse(
      { inputs: [["N", 3, 4, 4], [1]] },
      "must take one input [N, 3, S, S] of pixels, got image [N, 3, 4, 4], image1 [1]",
    );
    await refuse(
      { outputs: ["logits", "probabilities"] },
      "must give pooled, grid or both, got logits, probabilities",
    );
    const flat = await OnnxEncoder.load(at("cnn.onnx"), standIn({ grid: [1, 6] }).runtime);
    await expect(flat.encode(new Uint8Array(48))).rejects.toThrow("grid must be [1, C, H, W], got [1, 6]");
    writeFileSync(at("text.onnx"), "no model");
    await expect(OnnxEncoder.load(at("text.onnx"), runtime)).rejects.toThrow(
      "text.onnx: is no ONNX model that can be run: Protobuf parsing failed.",
    );
  });

  it("is read once, and again where that failed", async () => {
    await expect(encoderOf(at("none.onnx"))).rejects.toThrow("none.onnx: cannot be read");
    await expect(encoderOf(at("none.onnx"))).rejects.toThrow("none.onnx: cannot be read");
  });
});
