import { type CaptionedImage, type CaptionSplit, readCaptions } from "../../data/images/caption-file.ts";
import { type ImageRows, type ImageTable, readImageTable } from "../../data/images/image-table.ts";
import type { WordTokenizer } from "../../data/text/word-tokenizer.ts";
import { DataError, OptionError } from "../../errors.ts";
import { sha256 } from "../../io/digest.ts";
import { joinPath, readFile } from "../../io/files.ts";
import { checkOptions } from "../../options.ts";
import type { Lessons } from "./batches.ts";
import type { ImagesEvent } from "./events.ts";
import type { CaptioningSource, ResolvedOptions } from "./options.ts";
import { sourceSchema } from "./options.ts";
import { encodeCaption, learnWords } from "./vocabulary.ts";

/** Images with their captions. */
export interface Captioned {
  table: ImageTable;
  /** Of each image: its name, its row in the table, and what people say of it. */
  images: { name: string; row: number; references: readonly string[] }[];
  notes: string[];
}

/** What is learnt from, and what is validated on. */
export interface Corpus {
  name: string;
  words: WordTokenizer;
  train: Captioned;
  lessons: Lessons;
  /** Undefined if nothing is held out. */
  valid: Captioned | undefined;
  /** Captions that were left out. */
  empty: number;
  long: number;
  /** Tells these images, and their captions, from others. */
  fingerprint(): string;
}

/** What errors call it. */
export function nameOf({ captions }: CaptioningSource): string {
  if (typeof captions === "string") return captions;
  const [first] = captions;
  return typeof first === "string" ? first : "captions";
}

interface ReadOptions {
  /** Height and width of images that are files. */
  imageSize?: number | undefined;
  onImage?: (images: number, of: number) => void;
}

/** Reads the images of a part and their captions; an image that there is no caption of, or a caption of no image, is noted. */
export async function readCaptioned(
  source: CaptioningSource,
  part: CaptionSplit,
  options: ReadOptions = {},
): Promise<Captioned> {
  const all = await readAllCaptions(source);
  const chosen = await chooseImages(all, source, part);
  const { table, rows, notes } = await readImages(source, chosen, options);
  const images = chosen.flatMap(({ image: name, captions }) => {
    const row = rows.get(name);
    return row === undefined ? [] : [{ name, row, references: captions }];
  });
  const missing = chosen.filter(({ image }) => !rows.has(image)).map(({ image }) => image);
  if (source.features && missing.length > 0) notes.push(`no image of these captions: ${some(missing)}`);
  if (images.length === 0) throw new DataError(`${nameOf(source)}: has no captions of these images`);
  return { table, images, notes };
}

async function readAllCaptions({ captions }: CaptioningSource): Promise<CaptionedImage[]> {
  const given = typeof captions === "string" ? [captions] : captions;
  const lists = await Promise.all(
    given.map((one) => (typeof one === "string" ? readCaptions(one) : Promise.resolve([one]))),
  );
  return lists.flat();
}

async function chooseImages(
  all: readonly CaptionedImage[],
  { split: file }: CaptioningSource,
  part: CaptionSplit,
): Promise<CaptionedImage[]> {
  if (file === undefined) {
    return all.filter(({ split = part }) => split === part);
  }
  const names = new TextDecoder().decode(await readFile(file, 2 ** 28)).split(/\r?\n/);
  const byName = new Map(all.map((one) => [one.image, one]));
  const wanted = names.map((name) => name.trim()).filter((name) => name !== "");
  const missing = wanted.filter((name) => !byName.has(name));
  if (missing.length > 0) {
    throw new DataError(`${file}: names ${missing.length} images that have no caption: ${some(missing)}`);
  }
  return wanted.map((name) => byName.get(name)!);
}

async function readImages(source: CaptioningSource, chosen: readonly CaptionedImage[], options: ReadOptions) {
  const { features, images } = source;
  if (features && images !== undefined) {
    throw new OptionError("captioning: images or features must be given, not both");
  }
  const { encoder, cache } = source;
  const [other] = [
    ...(source.names !== undefined && !features ? ["names is for features"] : []),
    ...(encoder !== undefined && features ? ["encoder is for images that are files"] : []),
    ...(cache !== undefined && encoder === undefined ? ["cache is for an encoder"] : []),
  ];
  if (other) throw new OptionError(`captioning: ${other}, and there are none`);
  if (features) {
    const names = source.names ?? joinPath(features[0]!, "..", "images.txt");
    return { ...(await readImageTable(features, names)), notes: [] as string[] };
  }
  if (images === undefined) {
    throw new OptionError("captioning: images, a folder, or features, safetensors files, must be given");
  }
  const names = chosen.map(({ image }) => image);
  if (encoder !== undefined) {
    const { encodeFolder, encoderOf } = await import("../../data/images/onnx-encoder.ts");
    return encodeFolder(images, names, await encoderOf(encoder), { cache, onImage: options.onImage });
  }
  const { readImageFolder } = await import("../../data/images/image-files.ts");
  return readImageFolder(images, names, options.imageSize ?? 48, options.onImage);
}

const some = (names: readonly string[]) =>
  names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");

type CorpusOptions = Pick<ResolvedOptions, "validFraction" | "minCount" | "maxLength"> &
  Partial<Pick<ResolvedOptions, "valid" | "imageSize">> & {
    onProgress?: ((event: ImagesEvent) => void) | undefined;
  };

/** Reads images and captions; the words are those of what is learnt from. */
export async function readCorpus(
  where: string,
  given: CaptioningSource,
  options: CorpusOptions,
): Promise<Corpus> {
  const source = checkOptions(where, sourceSchema, given) as CaptioningSource;
  const { onProgress, imageSize } = options;
  const reading = {
    imageSize,
    onImage: (images: number, of: number) => onProgress?.({ type: "images", images, of }),
  };
  const all = await readCaptioned(source, "train", reading);
  const held = options.valid
    ? await readCaptioned(options.valid as CaptioningSource, "valid", reading)
    : await ownValid(source, reading);
  const [train, valid] = held ? [all, held] : hold(all, options.validFraction);
  const captions = train.images.flatMap(({ references }) => references);
  const words = learnWords(captions, options.minCount);
  const lessons: Lessons = { tokens: [], rows: [] };
  let [empty, long] = [0, 0];
  for (const { row, references } of train.images) {
    for (const reference of references) {
      const tokens = encodeCaption(words, reference);
      if (tokens.length === 1) empty++;
      else if (tokens.length > options.maxLength + 1) long++;
      else {
        lessons.tokens.push(tokens);
        lessons.rows.push(Int32Array.of(row));
      }
    }
  }
  const name = nameOf(source);
  if (lessons.tokens.length === 0) {
    throw new DataError(`${name}: has no caption of 1 to ${options.maxLength} words`, {
      hint: "raise maxLength",
    });
  }
  return {
    name,
    words,
    train,
    lessons,
    valid,
    empty,
    long,
    fingerprint: () => fingerprint(lessons, train, valid),
  };
}

/** The part to validate on of captions that say which it is. */
async function ownValid(source: CaptioningSource, reading: ReadOptions): Promise<Captioned | undefined> {
  const { split: _, ...rest } = source;
  const hasSplits = (await readAllCaptions(source)).some(({ split }) => split === "valid");
  return hasSplits ? readCaptioned(rest, "valid", reading) : undefined;
}

/** Every so manieth image is held out, so that all of the data set is in both. */
function hold(all: Captioned, fraction: number): [Captioned, Captioned | undefined] {
  if (fraction === 0) return [all, undefined];
  const every = Math.round(1 / fraction);
  const isHeld = (i: number) => i % every === every - 1;
  const images = all.images.filter((_, i) => isHeld(i));
  return [
    { ...all, images: all.images.filter((_, i) => !isHeld(i)) },
    images.length > 0 ? { ...all, images, notes: [] } : undefined,
  ];
}

function fingerprint({ tokens, rows }: Lessons, train: Captioned, valid: Captioned | undefined): string {
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  function* all(): Iterable<Uint8Array | string> {
    for (const list of [...tokens, ...rows]) {
      yield `\0${list.length}\0`;
      yield bytes(list);
    }
    for (const part of [train, ...(valid ? [valid] : [])]) {
      for (const { name, references } of part.images) yield `\0${name}\0${references.join("\0")}`;
      for (const { values } of Object.values<ImageRows>(part.table.parts)) yield bytes(values);
    }
  }
  return sha256(all());
}
