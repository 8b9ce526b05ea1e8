import type { FoundRun } from "./find.ts";

/** The options in which trainings differ, and what each was told. */
export function differences(runs: readonly FoundRun[]): Map<string, unknown[]> {
  const names = new Set(runs.flatMap(({ options }) => Object.keys(options)));
  const found = new Map<string, unknown[]>();
  for (const name of names) {
    const values = runs.map(({ options }) => options[name]);
    if (new Set(values.map((value) => JSON.stringify(value))).size > 1) found.set(name, values);
  }
  return found;
}
