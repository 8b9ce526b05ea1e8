/** What a run measured, as results/*.json keep it, and how to look things up in it. */
import type { Missing, Result } from "./race.ts";
import type { Kind, Row } from "./rows.ts";

export interface RaceRow {
  row: Row;
  results: (Result | Missing)[];
}

export interface Report {
  machine: string;
  node: string;
  v8: string;
  commit: string;
  /** When it began, and how long it took. */
  date: string;
  minutes: number;
  command: string;
  /** The OPENBLAS_ variables that this process was given; who runs without them, says contestants/index.ts. */
  environment: Record<string, string>;
  rows: RaceRow[];
}

export const isResult = (result: Result | Missing): result is Result => "milliseconds" in result;

/** A library with so many threads, in a variant or plain. */
export function find(
  { results }: RaceRow,
  library: string,
  { threads, variant }: { threads?: number; variant?: string } = {},
): Result | undefined {
  return results
    .filter(isResult)
    .find((r) => r.library === library && (threads ?? r.threads) === r.threads && r.variant === variant);
}

/** The fastest setting of a library: of those with so many threads, or of all. */
export function fastest({ results }: RaceRow, library: string, threads?: number): Result | undefined {
  return results
    .filter(isResult)
    .filter((r) => r.library === library && (threads ?? r.threads) === r.threads && r.variant === undefined)
    .reduce<Result | undefined>((a, b) => (a && a.milliseconds <= b.milliseconds ? a : b), undefined);
}

export const ofKind = ({ rows }: Report, kind: Kind) => rows.filter(({ row }) => row.kind === kind);

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
