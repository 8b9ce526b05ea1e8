import { checkParallel, type Lines, readLines } from "../lines.ts";

/** Sentences and their translations. */
export interface ParallelText {
  source: string[];
  target: string[];
  /** The number of each pair's line, from 1 on. */
  lines: number[];
  /** The numbers, from 1 on, of the lines that are left out: one side or both are blank. */
  empty: number[];
}

/** Two files, perhaps packed, whose lines belong together. */
export async function readParallel(source: string, target: string): Promise<ParallelText> {
  const [from, to] = await Promise.all([readLines(source), readLines(target)]);
  return pairLines(from, to);
}

/** Lines that belong together. */
export function pairLines(from: Lines, to: Lines): ParallelText {
  checkParallel(from, to);
  const text: ParallelText = { source: [], target: [], lines: [], empty: [] };
  for (const [i, line] of from.lines.entries()) {
    const other = to.lines[i]!;
    if (line.trim() === "" || other.trim() === "") {
      text.empty.push(i + 1);
      continue;
    }
    text.source.push(line);
    text.target.push(other);
    text.lines.push(i + 1);
  }
  return text;
}
