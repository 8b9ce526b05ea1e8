import * as v from "valibot";
import { FileError, FormatError, NumericError, OptionError } from "../../errors.ts";
import { createEmptyFolder, joinPath, readFile, writeFile } from "../../io/files.ts";
import { checkContent, formatVersion, recordOf } from "../../options.ts";
import type { Setting, Settings } from "../../training/search.ts";
import type { LanguageModelEvent } from "./events.ts";
import { readStartingModel, withModelDefaults } from "./initialise.ts";
import { checkTrainingOptions, type LanguageModelOptions, type TextSource } from "./options.ts";
import { pathsOf } from "./sources.ts";
import { trainLanguageModel } from "./train.ts";

/** One training of several that differ in some options. */
export interface Run {
  /** The name of its folder. */
  name: string;
  settings: Settings;
}

/** How a run ended. */
export interface RunResult {
  run: string;
  settings: Settings;
  /** Of the best validation; null if the training failed. */
  validLoss: number | null;
  perplexity: number | null;
  updates: number;
  epochs: number;
  seconds: number;
  /** Why the training failed: its loss was no longer finite. */
  failure?: string;
}

/** A run begins, or need not, because its result is there from an earlier time. */
export interface RunEvent {
  type: "run";
  run: string;
  settings: Settings;
  /** From 1. */
  number: number;
  of: number;
  finished: boolean;
}

export type RunsEvent = RunEvent | LanguageModelEvent;

export interface RunsOptions extends Omit<LanguageModelOptions, "onProgress"> {
  /** The folder of the runs' folders, of runs.json and of runs.csv. */
  out: string;
  onProgress?: (event: RunsEvent, run: string) => void;
}

const tableFile = "runs.json";
const MAX_TABLE = 2 ** 26;

/**
 * Trains models that differ in some options, one after the other, each in a folder of its own, and keeps a table of how
 * they ended. Runs that are in the table already are not run again. Returns the results in the order of the runs; at the
 * signal, those that there are.
 */
export async function trainRuns(
  source: TextSource,
  { out, onProgress, ...common }: RunsOptions,
  runs: readonly Run[],
): Promise<RunResult[]> {
  for (const { name, settings } of runs) await checkRun(name, { ...common, ...settings });
  const table = await Table.open(out, source, common);
  const results: RunResult[] = [];
  for (const [i, { name, settings }] of runs.entries()) {
    if (common.signal?.aborted) break;
    let result = table.find(name);
    const finished = result !== undefined;
    const run = { run: name, settings, number: i + 1, of: runs.length };
    onProgress?.({ type: "run", ...run, finished }, name);
    if (!result) {
      const { logDir } = common;
      const options = {
        ...{ ...common, ...settings, out: joinPath(out, name), resume: true },
        ...(logDir !== undefined && { logDir: joinPath(logDir, name) }),
      };
      result = await trainRun(source, options, { name, settings }, (event) => onProgress?.(event, name));
      if (!result) break;
      await table.add(result);
    }
    results.push(result);
  }
  return results;
}

/** Refuses, before the first run, what would stop a later one. */
async function checkRun(name: string, options: LanguageModelOptions): Promise<void> {
  const where = `run ${name}`;
  const initial = await readStartingModel(options);
  const checked = checkTrainingOptions(where, initial ? withModelDefaults(initial, options) : options);
  if (checked.valid === undefined && checked.validFraction === 0) {
    throw new OptionError(`${where}: runs are compared by validation: there must be text to validate on`);
  }
}

/** Undefined if the signal ended it. */
async function trainRun(
  source: TextSource,
  options: LanguageModelOptions,
  { name, settings }: Run,
  onProgress: (event: LanguageModelEvent) => void,
): Promise<RunResult | undefined> {
  let last = { updates: 0, epochs: 0 };
  const started = performance.now();
  let result: RunResult | undefined;
  try {
    await trainLanguageModel(source, {
      ...options,
      onProgress(event) {
        const begins = event.type === "resume" && event.path === undefined;
        if (!begins) onProgress(event);
        if (event.type === "step") last = { updates: event.step, epochs: event.epoch };
        if (event.type !== "done" || event.reason === "aborted") return;
        const { validLoss = null, perplexity = null, step: updates, epoch: epochs, seconds } = event;
        result = { run: name, settings, validLoss, perplexity, updates, epochs, seconds };
      },
    });
    return result;
  } catch (error) {
    if (options.signal?.aborted && error === options.signal.reason) return undefined;
    if (!(error instanceof NumericError)) throw error;
    const seconds = (performance.now() - started) / 1000;
    const failure = error.message.split("\n")[0]!;
    return { run: name, settings, validLoss: null, perplexity: null, ...last, seconds, failure };
  }
}

/** The best first, failed ones last. */
export function byValidLoss(a: RunResult, b: RunResult): number {
  return (a.validLoss ?? Number.POSITIVE_INFINITY) - (b.validLoss ?? Number.POSITIVE_INFINITY) || 0;
}

const setting = v.union([v.number(), v.string(), v.boolean()]);
const figure = v.nullable(v.number());

const schema = recordOf({
  formatVersion: formatVersion(1),
  task: v.literal("language-model"),
  /** The paths of its files; null of a text that was at hand. */
  text: v.nullable(v.array(v.string())),
  /** What all runs have in common. */
  options: v.record(v.string(), v.unknown()),
  runs: v.array(
    recordOf({
      run: v.string(),
      settings: v.record(v.string(), setting),
      validLoss: figure,
      perplexity: figure,
      updates: v.number(),
      epochs: v.number(),
      seconds: v.number(),
      failure: v.exactOptional(v.string()),
    }),
  ),
});

type TableContent = v.InferOutput<typeof schema>;

/** runs.json, and the same for spreadsheets: runs.csv. */
class Table {
  readonly #folder: string;
  readonly #content: TableContent;

  constructor(folder: string, content: TableContent) {
    this.#folder = folder;
    this.#content = content;
  }

  /** Goes on with the table in a folder, if it is one of the same training. */
  static async open(folder: string, source: TextSource, common: LanguageModelOptions): Promise<Table> {
    const fresh: TableContent = {
      formatVersion: 1,
      task: "language-model",
      text: pathsOf(source)?.slice() ?? null,
      options: forTheTable(common),
      runs: [],
    };
    const path = joinPath(folder, tableFile);
    const there = await readTable(path);
    if (!there) {
      await createEmptyFolder(folder);
      const table = new Table(folder, fresh);
      await table.#write();
      return table;
    }
    const differences = differencesOf(
      { text: there.text, ...there.options },
      { text: fresh.text, ...fresh.options },
    );
    if (differences.length > 0) {
      throw new FileError(`${path}: is of other trainings than these: ${differences.join(", ")}`, {
        hint: "name another folder, or give the same options: runs are compared in what they differ",
      });
    }
    return new Table(folder, there);
  }

  find(name: string): RunResult | undefined {
    return this.#content.runs.find(({ run }) => run === name);
  }

  async add(result: RunResult): Promise<void> {
    this.#content.runs.push({ ...result, settings: { ...result.settings } });
    await this.#write();
  }

  async #write(): Promise<void> {
    const { runs } = this.#content;
    await writeFile(joinPath(this.#folder, tableFile), `${JSON.stringify(this.#content, null, 2)}\n`);
    await writeFile(joinPath(this.#folder, "runs.csv"), formatCsv(runs));
  }
}

/** Undefined if there is none. */
async function readTable(path: string): Promise<TableContent | undefined> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(await readFile(path, MAX_TABLE)));
  } catch (error) {
    if (error instanceof SyntaxError) throw new FormatError(`${path}: is not JSON`, { cause: error });
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT") return undefined;
    throw error;
  }
  return checkContent(path, schema, json);
}

/** Options that do not change what a training comes to. */
const incidental = new Set([
  ...["out", "threads", "signal", "onProgress", "resume", "checkpointEvery", "cache"],
  ...["logDir", "log", "logEvery", "logNorms", "profile", "sampleEvery"],
]);

function forTheTable(options: LanguageModelOptions): Record<string, unknown> {
  const kept = Object.entries(options).filter(([name, value]) => {
    return (
      !incidental.has(name) && value !== undefined && !(name === "initFrom" && typeof value !== "string")
    );
  });
  return Object.fromEntries(kept);
}

/** `epochs 2, not 3` for each option that is not the same. */
function differencesOf(there: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const names = [...new Set([...Object.keys(there), ...Object.keys(now)])];
  const show = (value: unknown) => (value === undefined ? "its default" : JSON.stringify(value));
  return names
    .filter((name) => JSON.stringify(there[name]) !== JSON.stringify(now[name]))
    .map((name) => `${name} ${show(there[name])}, not ${show(now[name])}`);
}

/** RFC 4180. */
function formatCsv(runs: TableContent["runs"]): string {
  const settings = [...new Set(runs.flatMap((run) => Object.keys(run.settings)))];
  const figures = ["validLoss", "perplexity", "updates", "epochs", "seconds", "failure"] as const;
  const cell = (value: Setting | null | undefined) => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = [
    ["run", ...settings, ...figures],
    ...runs.map((run) => [
      run.run,
      ...settings.map((name) => run.settings[name]),
      ...figures.map((name) => run[name]),
    ]),
  ];
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
