import * as v from "valibot";
import { decodeText } from "../../data/text/text.ts";
import { DataError, FormatError, OptionError } from "../../errors.ts";
import { localPaths } from "../../io/file-system.ts";
import { readFile } from "../../io/files.ts";
import { nodeFiles } from "../../io/node-files.ts";
import { recordWith, text } from "../../options.ts";
import { Generator } from "../../tensor/random.ts";
import { readLayout, type Split } from "./layouts.ts";

/** Something that was said, and where the recording of it is. */
export interface Utterance {
  id: string;
  /** A file, or several to be joined. */
  audio: readonly string[];
  text: string;
  speaker?: string | undefined;
  /** What an error calls it: a manifest's line, or its file. */
  where: string;
}

/**
 * Where recordings and their texts come from: a manifest `*.jsonl` or `*.tsv`; a folder of recordings, each with its text
 * beside it in a file `*.txt`; or the folder of a data set whose layout is known (FSDD, AN4 and others of Sphinx, yesno),
 * of which `split` names the part.
 */
export type SpeechSource =
  | string
  | {
      path: string;
      /** Of a data set whose layout is known. Default "train" to train on, "test" to evaluate on. */
      split?: Split | undefined;
    };

/** Where an error says that something is. */
export const pathOf = (source: SpeechSource) => (typeof source === "string" ? source : source.path);

const MAX_MANIFEST = 2 ** 30;

/** Utterances, and whether they are a part of a data set that says what to validate on. */
export async function readUtterances(
  source: SpeechSource,
  split: Split,
  join?: readonly [from: number, to: number],
): Promise<{ utterances: Utterance[]; hasSplits: boolean }> {
  const path = pathOf(source);
  const named = typeof source === "string" ? undefined : source.split;
  const found = await readAll(path, named ?? split);
  if (named && !found.hasSplits) {
    throw new OptionError(`${path}: split is for the folder of a data set whose layout is known`);
  }
  if (found.utterances.length === 0) throw new DataError(`${path}: has no utterances`);
  return join ? { ...found, utterances: joinUtterances(found.utterances, join, path) } : found;
}

async function readAll(path: string, split: Split) {
  const { fs } = nodeFiles(path);
  const isFolder = await fs.stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  if (isFolder) return readLayout(path, split);
  const lines = decodeText(await readFile(path, MAX_MANIFEST), path).split(/\r?\n/);
  const rows = /\.tsv$/i.test(path) ? tableRows(lines, path) : jsonRows(lines, path);
  return { utterances: manifestUtterances(rows, path), hasSplits: false };
}

interface Row {
  line: number;
  fields: Record<string, unknown>;
}

function jsonRows(lines: readonly string[], path: string): Row[] {
  if (!/\.jsonl$/i.test(path)) {
    throw new FormatError(`${path}: must be a manifest *.jsonl or *.tsv, or a folder`);
  }
  return lines.flatMap((text, i) => {
    if (text.trim() === "") return [];
    try {
      const fields: unknown = JSON.parse(text);
      if (typeof fields === "object" && fields !== null) return [{ line: i + 1, fields: { ...fields } }];
    } catch {}
    throw new FormatError(`${path}: line ${i + 1}: must be an object in JSON, got ${excerpt(text)}`);
  });
}

const excerpt = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);

function tableRows([header = "", ...lines]: readonly string[], path: string): Row[] {
  const names = header.split("\t").map((name) => name.trim());
  return lines.flatMap((text, i) => {
    if (text.trim() === "") return [];
    const cells = text.split("\t");
    if (cells.length !== names.length) {
      throw new FormatError(
        `${path}: line ${i + 2}: must have ${names.length} columns, as the first line, got ${cells.length}`,
      );
    }
    return [{ line: i + 2, fields: Object.fromEntries(names.map((name, k) => [name, cells[k]!.trim()])) }];
  });
}

/** What other programs call the same (NeMo, Common Voice). */
const aliases: Record<string, string> = {
  audio_filepath: "audio",
  path: "audio",
  sentence: "text",
  client_id: "speaker",
};

const rowSchema = recordWith({
  audio: v.union([text(), v.array(text())], "must be the path of a recording, or several in an array"),
  text: text(),
  id: v.optional(text()),
  speaker: v.optional(text()),
});

function manifestUtterances(rows: readonly Row[], path: string): Utterance[] {
  const { dirname, resolve } = localPaths()!;
  return rows.map(({ line, fields }) => {
    const named = Object.entries(fields).map(([name, value]) => [aliases[name] ?? name, value]);
    const { success, output, issues } = v.safeParse(rowSchema, Object.fromEntries(named));
    const where = `${path}: line ${line}`;
    if (!success) {
      const [issue] = issues;
      throw new FormatError(`${where}: ${[v.getDotPath(issue), issue.message].filter(Boolean).join(" ")}`);
    }
    const audio = [output.audio].flat().map((file) => resolve(dirname(path), file));
    const { id = audio[0] ?? where, text, speaker } = output;
    return { id, audio, text, ...(speaker !== undefined && { speaker }), where };
  });
}

/** Strings of one speaker's utterances, as many as there are; which, depends on the utterances alone. */
function joinUtterances(
  utterances: readonly Utterance[],
  [from, to]: readonly [number, number],
  path: string,
): Utterance[] {
  const bySpeaker = Map.groupBy(utterances, ({ speaker }) => speaker);
  const random = new Generator(utterances.length);
  return utterances.map(({ speaker }, i) => {
    const own = bySpeaker.get(speaker)!;
    const parts = Array.from(
      { length: from + random.below(to - from + 1) },
      () => own[random.below(own.length)]!,
    );
    return {
      id: `string ${i + 1}`,
      audio: parts.flatMap(({ audio }) => audio),
      text: parts.map(({ text }) => text).join(" "),
      speaker,
      where: `${path}: string ${i + 1}`,
    };
  });
}
