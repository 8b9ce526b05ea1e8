import * as v from "valibot";
import { FormatError, OptionError } from "./errors.ts";

/**
 * Schemas whose messages have the house form: `hiddenSize must be a whole number from 1 to 65536, got "big"`. Options
 * that a user gives and files that a program reads go through the same ones.
 */
function must(expected: string) {
  return (issue: v.BaseIssue<unknown>) => `must be ${expected}, got ${show(issue.input)}`;
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const text = typeof value === "function" ? "a function" : (JSON.stringify(value) ?? typeof value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

export function wholeNumber(from: number, to: number) {
  const message = must(`a whole number from ${from} to ${to}`);
  return v.pipe(v.number(message), v.integer(message), v.minValue(from, message), v.maxValue(to, message));
}

/** A number in a range; `above` and `below` leave the bound itself out. */
export function numberIn(range: { from?: number; above?: number; to?: number; below?: number }) {
  const { from, above, to, below } = range;
  const low = above === undefined ? (from === undefined ? "" : `${from} or more`) : `above ${above}`;
  const high = below === undefined ? (to === undefined ? "" : `at most ${to}`) : `below ${below}`;
  return v.custom<number>(
    (x) =>
      typeof x === "number" &&
      Number.isFinite(x) &&
      x >= (from ?? -Infinity) &&
      x > (above ?? -Infinity) &&
      x <= (to ?? Infinity) &&
      x < (below ?? Infinity),
    must(`a number ${[low, high].filter(Boolean).join(" and ")}`),
  );
}

export function oneOf<const T extends readonly string[]>(allowed: T) {
  const last = allowed.at(-1)!;
  const list = allowed.length > 1 ? `${allowed.slice(0, -1).join(", ")} or ${last}` : last;
  return v.picklist(allowed, must(list));
}

export function trueOrFalse() {
  return v.boolean(must("true or false"));
}

export function text() {
  return v.string(must("a string"));
}

export function functionOf<T extends (...args: never[]) => unknown>() {
  return v.custom<T>((x) => typeof x === "function", must("a function"));
}

/** The version of a file's format, where there is one so far. */
export function formatVersion<const N extends number>(current: N) {
  return v.literal(current, ({ input }) => {
    const newer = typeof input === "number" && input > current;
    return `must be ${current}, got ${show(input)}${newer ? ": a newer version of unrolled wrote it" : ""}`;
  });
}

/** A schema for each of an interface's options: what is missing or of another type does not compile. */
export type SchemasOf<Options> = { [K in keyof Options]-?: v.GenericSchema<Options[K] | undefined, unknown> };

/** An object that has no other keys than these. */
export function recordOf<const T extends v.ObjectEntries>(entries: T) {
  return v.strictObject(entries, (issue) => {
    if (issue.expected !== "never") return recordProblem(issue);
    const key = String(issue.path?.at(-1)?.key ?? "");
    return `is not known${didYouMean(key, Object.keys(entries))}`;
  });
}

/** An object that has these keys among others. */
export function recordWith<const T extends v.ObjectEntries>(entries: T) {
  return v.looseObject(entries, recordProblem);
}

function recordProblem(issue: v.BaseIssue<unknown>): string {
  return issue.expected === "Object" ? `must be an object, got ${show(issue.input)}` : "is missing";
}

/** ` (did you mean …?)` if one of the names is near, else all that are allowed. */
export function didYouMean(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near ? ` (did you mean ${near}?)` : ` (known are ${names.join(", ")})`;
}

function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(2, name.length / 3) ? best.candidate : undefined;
}

/** Levenshtein's: how many letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The options, checked and with their defaults filled in. `where` names whose they are. */
export function checkOptions<S extends v.GenericSchema>(
  where: string,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  const { success, output, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return output;
  throw new OptionError(`${where}: ${describe(issues[0])}`);
}

/** The content of a file, checked. */
export function checkContent<S extends v.GenericSchema>(
  file: string,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  const { success, output, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return output;
  throw new FormatError(`${file}: ${describe(issues[0])}`);
}

function describe(issue: v.BaseIssue<unknown>): string {
  return [v.getDotPath(issue), issue.message].filter(Boolean).join(" ");
}
