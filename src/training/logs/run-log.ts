import { FileError } from "../../errors.ts";
import { appendFile, truncateFile } from "../../io/append.ts";
import { joinPath, listFolder, readFile } from "../../io/files.ts";
import { thisProcess } from "../../io/folder-lock.ts";
import { csv } from "./csv.ts";
import type { LogEvent, StartEvent } from "./event.ts";
import type { LogFormat } from "./format.ts";
import { jsonl, jsonlFile } from "./jsonl.ts";
import { tensorboard } from "./tensorboard.ts";

/** What a log can be written as besides JSONL, which it always is. */
export type LogFormatName = "csv" | "tensorboard";

const formats: Record<LogFormatName | "jsonl", LogFormat> = { jsonl, csv, tensorboard };

const MAX_LOG = 2 ** 31;

export interface RunLogOptions {
  /** New, or without a log; of a resume, that of its log. */
  folder: string;
  /** Besides JSONL; of a resume, besides those that are there. */
  formats?: readonly LogFormatName[];
  task: string;
  /** The folder that is trained into, if there is one. */
  out?: string | undefined;
  /** What the training was told, to compare it with others. */
  options: Record<string, unknown>;
  /** Of a resume: the updates before, after which the log goes on. */
  step?: number | undefined;
}

/** Writes what a training tells into files as it goes on. */
export class RunLog {
  readonly #files: readonly { format: LogFormat; path: string }[];

  private constructor(files: readonly { format: LogFormat; path: string }[]) {
    this.#files = files;
  }

  static async open({
    folder,
    formats: others = [],
    task,
    out,
    options,
    step: resumedFrom,
  }: RunLogOptions): Promise<RunLog> {
    const step = resumedFrom ?? 0;
    // A training that was to go on but begins anew has no log to go on with but one it began.
    const ours = resumedFrom !== undefined && (step > 0 || !(await begunByAnother(folder, out)));
    if (ours) await truncateLogs(folder, step);
    const there = await listFolder(folder);
    if (!ours && there.includes(jsonlFile)) {
      throw new FileError(`${folder}: holds the log of another training`, {
        hint: "name another folder, or remove this one first",
      });
    }
    const start: StartEvent = { type: "start", step, task, out, options, process: thisProcess() };
    const time = new Date();
    const files = [];
    for (const [name, format] of Object.entries(formats)) {
      const continued = resumedFrom !== undefined && there.some(format.owns);
      if (name !== "jsonl" && !continued && !(others as readonly string[]).includes(name)) continue;
      const session = 1 + there.filter(format.owns).length;
      const file = format.fileName(session);
      const path = joinPath(folder, file);
      if (!there.includes(file)) await appendFile(path, format.head(start, session, time));
      files.push({ format, path });
    }
    const log = new RunLog(files);
    await log.write(start, time);
    return log;
  }

  async write(event: LogEvent, time = new Date()): Promise<void> {
    for (const { format, path } of this.#files) {
      const bytes = format.encode(event, time);
      if (bytes.length > 0) await appendFile(path, bytes);
    }
  }
}

/** Whether a log is that of a training into another folder. One without a whole line holds nothing to lose. */
async function begunByAnother(folder: string, out: string | undefined): Promise<boolean> {
  if (!(await listFolder(folder)).includes(jsonlFile)) return false;
  const content = new TextDecoder().decode(await readFile(joinPath(folder, jsonlFile), MAX_LOG));
  const end = content.indexOf("\n");
  return end >= 0 && (JSON.parse(content.slice(0, end)) as Partial<StartEvent>).out !== out;
}

/**
 * Takes out of a folder's logs what came after an update, so that a training that goes on from there tells it only
 * once; and what a crash left half written.
 */
export async function truncateLogs(folder: string, step: number): Promise<void> {
  for (const name of await listFolder(folder)) {
    const format = Object.values(formats).find(({ owns }) => owns(name));
    if (!format) continue;
    const path = joinPath(folder, name);
    const bytes = await readFile(path, MAX_LOG);
    const length = format.lengthUpTo(step, bytes);
    if (length < bytes.length) await truncateFile(path, length);
  }
}
