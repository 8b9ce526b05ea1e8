import { decodeText } from "../../data/text/text.ts";
import { DataError, FormatError } from "../../errors.ts";
import { localPaths } from "../../io/file-system.ts";
import { joinPath, listFolder, readFile } from "../../io/files.ts";
import { nodeFiles } from "../../io/node-files.ts";
import { readManifest, type Utterance } from "./manifest.ts";

export const splits = ["train", "valid", "test"] as const;

/** A part of a data set. What to validate on is taken from the speakers to train on. */
export type Split = (typeof splits)[number];

const MAX_TEXT = 2 ** 26;

/**
 * Utterances, and where those to validate on come from: an official part of the data set, or held out here of its training
 * part; undefined if nothing says of what part an utterance is.
 */
export interface Layout {
  utterances: Utterance[];
  validation?: "official" | "heldOut" | undefined;
}

/** The utterances of a folder: of a part of it, if its layout says which part they belong to. */
export async function readLayout(folder: string, split: Split): Promise<Layout> {
  const controls = (await listFolder(joinPath(folder, "etc"))).find((name) =>
    name.endsWith("_train.fileids"),
  );
  if (controls) {
    const name = controls.slice(0, -"_train.fileids".length);
    return { utterances: await sphinxUtterances(folder, name, split), validation: "heldOut" };
  }
  const tables = await listFolder(folder);
  if (tables.includes("clips") && tables.includes("train.tsv")) {
    const table = joinPath(folder, split === "valid" ? "dev.tsv" : `${split}.tsv`);
    return { utterances: await readManifest(table), validation: "official" };
  }
  for (const inner of ["", "recordings", "waves_yesno"]) {
    const place = inner ? joinPath(folder, inner) : folder;
    const names = (await listFolder(place)).filter((name) => /\.wav$/i.test(name)).sort();
    for (const { pattern, read } of namedLayouts) {
      if (names.length === 0 || !names.every((name) => pattern.test(name))) continue;
      const utterances = names.flatMap((name) => {
        const { of, ...rest } = read(name);
        const audio = joinPath(place, name);
        return of === split
          ? [{ id: name.replace(/\.wav$/i, ""), audio: [audio], where: audio, ...rest }]
          : [];
      });
      return { utterances, validation: "heldOut" };
    }
  }
  const { fs } = nodeFiles(folder);
  const names = (await fs.readdir(folder, { recursive: true })).sort();
  const chapters = names.filter((name) => /(^|[\\/])\d+-\d+\.trans\.txt$/.test(name));
  if (chapters.length > 0) return libriSpeech(folder, chapters, split);
  return { utterances: await besideTexts(folder, names) };
}

/**
 * LibriSpeech: SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt, a line for each recording *.flac beside it. Its parts train-…,
 * dev-… and test-… are told apart if the folder holds them; one of them given as the folder is taken as it is.
 */
async function libriSpeech(folder: string, chapters: readonly string[], split: Split): Promise<Layout> {
  const partOf = (name: string) => /(?:^|[\\/])(train|dev|test)-[^\\/]*[\\/]/.exec(name)?.[1];
  const hasSplits = chapters.some((name) => partOf(name) !== undefined);
  const wanted = split === "valid" ? "dev" : split;
  const utterances: Utterance[] = [];
  for (const name of chapters.filter((name) => !hasSplits || partOf(name) === wanted)) {
    const path = joinPath(folder, name);
    const lines = decodeText(await readFile(path, MAX_TEXT), path).split(/\r?\n/);
    for (const [i, line] of lines.entries()) {
      if (line.trim() === "") continue;
      const [, id, text] = /^(\d+-\d+-\d+) (.*)$/.exec(line) ?? [];
      const where = `${path}: line ${i + 1}`;
      if (id === undefined) throw new FormatError(`${where}: must be SPEAKER-CHAPTER-NUMBER and a text`);
      const audio = joinPath(folder, name.replace(/[^\\/]*$/, `${id}.flac`));
      utterances.push({ id, audio: [audio], text: text!, speaker: id.split("-")[0], where });
    }
  }
  return { utterances, validation: hasSplits ? "official" : undefined };
}

type Told = Pick<Utterance, "text" | "speaker"> & { of: Split };

const digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** Data sets whose files' names say everything. */
const namedLayouts: readonly { pattern: RegExp; read: (name: string) => Told }[] = [
  {
    // The Free Spoken Digit Dataset, digit_speaker_index: 0 to 4 are the official test, the next five validate.
    pattern: /^\d_[a-z]+_\d+\.wav$/i,
    read(name) {
      const [digit, speaker, index] = name.split(/[_.]/) as [string, string, string];
      const of = Number(index) < 5 ? "test" : Number(index) < 10 ? "valid" : "train";
      return { of, text: digits[Number(digit)]!, speaker };
    },
  },
  {
    // yesno, one digit a word: those that begin with 1 are the test, as in Kaldi's recipe; of the others six validate.
    pattern: /^[01](_[01]){7}\.wav$/i,
    read(name) {
      const words = name.slice(0, 15).split("_").map(Number);
      const number = words.reduce((bits, bit) => 2 * bits + bit, 0);
      const of = words[0] === 1 ? "test" : number % 5 === 4 ? "valid" : "train";
      return { of, text: words.map((yes) => (yes ? "yes" : "no")).join(" ") };
    },
  },
];

/** Every so manieth speaker to train on is kept to validate on. */
const VALIDATES = 10;

/** CMU Sphinx: etc/NAME_train.fileids and .transcription, files under feat/ or wav/, a folder for each speaker. */
async function sphinxUtterances(folder: string, name: string, split: Split): Promise<Utterance[]> {
  const part = split === "test" ? "test" : "train";
  const read = async (ending: string) => {
    const path = joinPath(folder, "etc", `${name}_${part}.${ending}`);
    const text = decodeText(await readFile(path, MAX_TEXT), path);
    return {
      path,
      lines: text
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean),
    };
  };
  const texts = new Map<string, string>();
  const transcription = await read("transcription");
  for (const [i, line] of transcription.lines.entries()) {
    const [, text, id] = /^(.*)\((\S+)\)$/.exec(line) ?? [];
    if (id === undefined) {
      throw new FormatError(`${transcription.path}: line ${i + 1}: must end with (the utterance)`);
    }
    // <s>, </s> and <sil> are silence.
    texts.set(id, text!.replace(/<[^>]*>/g, " "));
  }
  const { path, lines } = await read("fileids");
  const features = (await listFolder(joinPath(folder, "feat"))).length > 0;
  const utterances = lines.map((file, i) => {
    const names = file.split("/");
    const id = names.at(-1)!;
    const text = texts.get(id);
    const where = `${path}: line ${i + 1}`;
    if (text === undefined) throw new DataError(`${where}: ${id} has no line in ${transcription.path}`);
    const audio = features ? joinPath(folder, "feat", `${file}.mfc`) : joinPath(folder, "wav", `${file}.wav`);
    return { id, audio: [audio], text, speaker: names.at(-2), where };
  });
  if (part === "test") return utterances;
  const speakers = [...new Set(utterances.map(({ speaker }) => speaker))].sort();
  const validates = new Set(speakers.filter((_, i) => i % VALIDATES === VALIDATES - 1));
  return utterances.filter(({ speaker }) => validates.has(speaker) === (split === "valid"));
}

/** Recordings with their texts beside them, a.wav and a.txt, in folders within too, which are then the speakers. */
async function besideTexts(folder: string, names: readonly string[]): Promise<Utterance[]> {
  const { sep, dirname } = localPaths()!;
  const audible = names.filter((name) => /\.(wav|flac|mp3|mfc)$/i.test(name));
  if (audible.length === 0) {
    throw new DataError(`${folder}: has no recordings *.wav, *.flac or *.mp3, nor features *.mfc`);
  }
  return Promise.all(
    audible.map(async (name) => {
      const audio = joinPath(folder, name);
      const path = audio.replace(/\.\w+$/, ".txt");
      const text = decodeText(await readFile(path, MAX_TEXT), path);
      const speaker = name.includes(sep) ? dirname(name) : undefined;
      return { id: name.replace(/\.\w+$/, ""), audio: [audio], text, speaker, where: audio };
    }),
  );
}
