import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { jsonLines, type Outcome, spawnUnrolled, unrolled } from "./run.ts";

let root: string;
let trained: Outcome;
const at = (...parts: string[]) => join(root, ...parts);
const colours = ["red", "green", "blue"];

/** Images whose left and right halves have a colour each. */
async function paint(name: string, left: number, right: number, shade: number): Promise<void> {
  const pixels = new Uint8Array(3 * 256);
  for (let i = 0; i < 256; i++) pixels[3 * i + (i % 16 < 8 ? left : right)] = shade + ((i * 7) % 50);
  await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } }).toFile(at(name));
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-cli-"));
  const images = [];
  for (let n = 0; n < 90; n++) {
    const [left, right] = [n % 3, Math.floor(n / 3) % 3] as [number, number];
    const filename = `${n}.png`;
    await paint(filename, left, right, 120 + n);
    const raw = `${colours[left]} beside ${colours[right]}`;
    const split = n < 72 ? "train" : n < 81 ? "val" : "test";
    images.push({ filename, split, sentences: [{ raw }] });
  }
  writeFileSync(at("captions.json"), JSON.stringify({ images }));
  writeFileSync(at("bad.png"), "no image");
  const data = [
    "--captions",
    at("captions.json"),
    "--images",
    root,
    "--image-size",
    "16",
    "--channels",
    "8,8",
  ];
  const size = ["--decoder", "attention", "--embedding-size", "16", "--hidden-size", "32", "--dropout", "0"];
  const pace = ["--batch-tokens", "64", "--epochs", "20", "--learning-rate", "0.01", "--measure", "loss"];
  const rest = ["--min-count", "1", "--json", "--out", at("model")];
  trained = await unrolled("train", "captioning", ...data, ...size, ...pace, ...rest);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("train captioning --json writes one event a line and nothing else", () => {
  expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: "" });
  const events = jsonLines(trained.stdout);
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set(["images", "corpus", "step", "validation", "checkpoint", "done"]),
  );
  expect(events.find(({ type }) => type === "corpus")).toMatchObject({ images: 72, heldOut: 9, notes: [] });
});

it("caption says what is in images, and goes on after a bad one", async () => {
  const one = await unrolled("caption", at("model"), at("82.png"));
  expect(one).toEqual({ code: 0, stdout: "green beside red\n", stderr: "" });
  const several = await unrolled(
    "caption",
    at("model"),
    at("bad.png"),
    at("81.png"),
    at("none.png"),
    "--beam",
    "2",
  );
  expect(several.code).toBe(1);
  expect(several.stdout).toBe(`${at("81.png")}\tred beside red\n`);
  expect(several.stderr).toMatch(/error: .*bad\.png: is no image .*\nerror: .*none\.png: cannot be read/);
  const { stdout } = await unrolled(
    "caption",
    at("model"),
    at("bad.png"),
    at("83.png"),
    "--json",
    "--beam",
    "3",
    "--n-best",
    "2",
  );
  const [bad, good] = jsonLines(stdout);
  expect(bad).toEqual({
    image: at("bad.png"),
    error: expect.stringContaining("is no image that can be read"),
  });
  expect(good).toMatchObject({ image: at("83.png"), text: "blue beside red", notes: [] });
  expect(good!.alternatives).toHaveLength(2);
  const { words, rows, columns, weights } = good!.attention as Record<string, unknown>;
  expect({ words, rows, columns }).toEqual({ words: ["blue", "beside", "red"], rows: 4, columns: 4 });
  expect((weights as number[][]).map((row) => row.length)).toEqual([16, 16, 16, 16]);
});

it("caption of several models is an ensemble", async () => {
  const { stdout } = await unrolled("caption", at("model"), at("82.png"), "--with", at("model"));
  expect(stdout).toBe("green beside red\n");
});

it("caption --plot draws where it looked, over the image", async () => {
  const plot = at("looks.svg");
  await unrolled("caption", at("model"), at("82.png"), "--plot", plot);
  const svg = readFileSync(plot, "utf8");
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg.match(/<title>/g)).toHaveLength(4 * 16);
  expect(svg).toContain('href="data:image/png;base64,');
});

it("evaluate gives the scores, or all of it as JSON", async () => {
  const data = ["--captions", at("captions.json"), "--images", root];
  const { stdout } = await unrolled("evaluate", at("model"), ...data, "--beam", "2");
  expect(stdout).toMatch(
    /^BLEU-1 +\d+\.\d\d\n(BLEU-\d +\d+\.\d\d\n){3}METEOR +\d+\.\d\d\nROUGE-L +\d+\.\d\d\nCIDEr-D +\d/,
  );
  const [found] = jsonLines((await unrolled("evaluate", at("model"), ...data, "--json")).stdout);
  expect(found).toMatchObject({ task: "captioning", images: 9, references: 9, notes: [] });
  expect(found!.exact).toBeGreaterThan(0.85);
  expect(found!.captions).toBeUndefined();
  const twice = await unrolled("evaluate", at("model"), ...data, "--with", at("model"), "--json");
  expect(jsonLines(twice.stdout)[0]!.bleu).toEqual(found!.bleu);
  const none = await unrolled("evaluate", at("model"), ...data, "--with", at("nothing"));
  expect(none.stderr).toContain(at("nothing"));
});

it.each([
  [["train", "captioning", "--out", "b"], "--captions FILE must name what people say of the images"],
  [
    ["train", "captioning", "--captions", "a", "--out", "b"],
    "--images DIR or --features FILE must name the images",
  ],
  [
    ["train", "captioning", "--recipe", "shape", "--out", "b"],
    "--recipe shape is not known (did you mean shapes?)",
  ],
  [
    ["train", "captioning", "--channels", "8,x", "--out", "b"],
    "--channels must be whole numbers, 16,32,64, got",
  ],
  [["evaluate", "MODEL"], "--captions FILE must name what people say of the images"],
  [["evaluate", "MODEL", "--manifest", "a"], "--manifest is for models of `train speech`, and MODEL is none"],
  [["caption", "MODEL", "a.png", "b.png", "--plot", "c"], "--plot draws over a single image, got 2"],
])("says what is wrong: %j", async (args, message) => {
  const { code, stderr } = await spawnUnrolled(args.map((arg) => (arg === "MODEL" ? at("model") : arg)));
  expect(code).toBe(2);
  expect(stderr.replaceAll(at("model"), "MODEL")).toContain(`error: ${message}`);
});
