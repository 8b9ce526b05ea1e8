import * as v from "valibot";
import { DataError } from "../../errors.ts";
import { readFile } from "../../io/files.ts";
import { plainJson } from "../../io/json-file.ts";
import { checkContent, oneOf, recordWith, text } from "../../options.ts";

export const splits = ["train", "valid", "test"] as const;
export type CaptionSplit = (typeof splits)[number];

/** An image and what people say of it. */
export interface CaptionedImage {
  /** The name of its file. */
  image: string;
  captions: readonly string[];
  /** The part of the data set that it belongs to, if the file says so. */
  split?: CaptionSplit | undefined;
}

/** Karpathy's files of COCO have 140 MB. */
const MAX_CAPTIONS = 2 ** 28;

const id = v.union([v.number(), v.string()], "must be a number or a string");
const coco = recordWith({
  images: v.array(recordWith({ id, file_name: text() })),
  annotations: v.array(recordWith({ image_id: id, caption: text() })),
});
const karpathy = recordWith({
  images: v.array(
    recordWith({
      filename: text(),
      split: oneOf(["train", "restval", "val", "test"]),
      sentences: v.array(recordWith({ raw: text() })),
    }),
  ),
});

/**
 * Reads captions: Flickr8k's token file (`name.jpg#0<TAB>caption` a line), COCO's annotations (JSON with `images` and
 * `annotations`), or Karpathy's data sets (JSON with `images` that have `sentences` and a `split`). An image has its place
 * where its first caption has; images without a caption are left out.
 */
export async function readCaptions(path: string): Promise<CaptionedImage[]> {
  const bytes = await readFile(path, MAX_CAPTIONS);
  const found =
    bytes[firstSign(bytes)] === 0x7b ? readJson(plainJson(bytes, path), path) : readLines(bytes, path);
  if (found.length === 0) throw new DataError(`${path}: has no captions`);
  return found;
}

/** Where white space, and the mark of UTF-8, end. */
function firstSign(bytes: Uint8Array): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (bytes[at] === 0x20 || (bytes[at]! >= 9 && bytes[at]! <= 13)) at++;
  return at;
}

function readJson(json: unknown, path: string): CaptionedImage[] {
  if ((json as { annotations?: unknown }).annotations !== undefined) {
    const { images, annotations } = checkContent(path, coco, json);
    const names = new Map(images.map(({ id, file_name }) => [id, file_name]));
    const pairs = annotations.map(({ image_id, caption }, i): [string, string] => {
      const name = names.get(image_id);
      if (name !== undefined) return [name, caption];
      throw new DataError(`${path}: annotations.${i}: image_id ${image_id} is no image's id`);
    });
    return grouped(pairs);
  }
  const { images } = checkContent(path, karpathy, json);
  const parts = { train: "train", restval: "train", val: "valid", test: "test" } as const;
  return images
    .filter(({ sentences }) => sentences.length > 0)
    .map(({ filename, split, sentences }) => ({
      image: filename,
      captions: sentences.map(({ raw }) => raw),
      split: parts[split],
    }));
}

function readLines(bytes: Uint8Array, path: string): CaptionedImage[] {
  const pairs: [string, string][] = [];
  for (const [i, line] of new TextDecoder().decode(bytes).split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [, name, caption] = /^(.+?)#\d+\t(.*)$/.exec(line) ?? [];
    if (name === undefined) {
      throw new DataError(`${path}: line ${i + 1}: must be name#number, a tab and a caption`, {
        hint: "or JSON, as COCO's annotations or Karpathy's data sets are",
      });
    }
    pairs.push([name, caption!]);
  }
  return grouped(pairs);
}

function grouped(pairs: readonly (readonly [string, string])[]): CaptionedImage[] {
  const images = new Map<string, string[]>();
  for (const [name, caption] of pairs) {
    const own = images.get(name);
    if (own) own.push(caption);
    else images.set(name, [caption]);
  }
  return Array.from(images, ([image, captions]) => ({ image, captions }));
}
