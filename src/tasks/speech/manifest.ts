import * as v from "valibot";
import { decodeText } from "../../data/text/text.ts";
import { FormatError } from "../../errors.ts";
import { localPaths } from "../../io/file-system.ts";
import { joinPath, listFolder, readFile } from "../../io/files.ts";
import { recordWith, text } from "../../options.ts";

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

const MAX_MANIFEST = 2 ** 30;

/** Reads a manifest `*.jsonl`, or a table `*.tsv`; a table of Common Voice has its recordings in `clips` beside it. */
export async function readManifest(path: string): Promise<Utterance[]> {
  const lines = decodeText(await readFile(path, MAX_MANIFEST), path).split(/\r?\n/);
  return manifestUtterances(/\.tsv$/i.test(path) ? tableRows(lines, path) : jsonRows(lines, path), path);
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
  const quotes = isCommonVoice(names);
  return lines.flatMap((text, i) => {
    if (text.trim() === "") return [];
    const cells = text.split("\t");
    if (cells.length !== names.length) {
      throw new FormatError(
        `${path}: line ${i + 2}: must have ${names.length} columns, as the first line, got ${cells.length}`,
      );
    }
    return [
      { line: i + 2, fields: Object.fromEntries(names.map((name, k) => [name, cellOf(cells[k]!, quotes)])) },
    ];
  });
}

/** Common Voice puts cells with quotation marks in them in quotation marks, and doubles these. */
function cellOf(cell: string, quotes: boolean): string {
  const [, quoted] = (quotes && /^"(.*)"$/.exec(cell.trim())) || [];
  return (quoted?.replaceAll('""', '"') ?? cell).trim();
}

const isCommonVoice = (names: readonly string[]) => names.includes("path") && names.includes("sentence");

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

async function manifestUtterances(rows: readonly Row[], path: string): Promise<Utterance[]> {
  const { dirname, resolve } = localPaths()!;
  const folder = dirname(path);
  // Common Voice has its recordings in a folder beside its tables.
  const inClips =
    rows[0] !== undefined &&
    isCommonVoice(Object.keys(rows[0].fields)) &&
    (await listFolder(joinPath(folder, "clips"))).length > 0;
  const place = inClips ? joinPath(folder, "clips") : folder;
  return rows.map(({ line, fields }) => {
    const named = Object.entries(fields).map(([name, value]) => [aliases[name] ?? name, value]);
    const { success, output, issues } = v.safeParse(rowSchema, Object.fromEntries(named));
    const where = `${path}: line ${line}`;
    if (!success) {
      const [issue] = issues;
      throw new FormatError(`${where}: ${[v.getDotPath(issue), issue.message].filter(Boolean).join(" ")}`);
    }
    const audio = [output.audio].flat().map((file) => resolve(place, file));
    const { id = audio[0] ?? where, text, speaker } = output;
    return { id, audio, text, ...(speaker !== undefined && { speaker }), where };
  });
}
