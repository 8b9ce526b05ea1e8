import * as v from "valibot";
import { FormatError } from "../errors.ts";
import { readSafetensors, writeSafetensors } from "../io/safetensors.ts";
import { checkContent, formatVersion, recordOf, wholeNumber } from "../options.ts";
import type { Progress, TrainingState } from "./state.ts";
import { isName, mapTree, type Tree } from "./tree.ts";

/** Seconds that a training took: all of a state that two runs of the same training do not share. */
export type Clock = Pick<Progress, "seconds" | "updateSeconds">;

const number = v.pipe(v.number(), v.finite());
const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const validation = recordOf({ epoch: count, step: count, loss: number });

const tree: v.GenericSchema<unknown, Tree<string>> = v.union([
  v.string(),
  v.pipe(
    v.null(),
    v.transform(() => undefined),
  ),
  v.array(v.lazy(() => tree)),
  v.record(
    v.string(),
    v.lazy(() => tree),
  ),
]);

const schema = recordOf({
  formatVersion: formatVersion(1),
  progress: recordOf({
    epoch: count,
    batch: count,
    step: count,
    tokens: count,
    firstLoss: number,
    meanLoss: number,
    best: v.optional(validation),
    stale: count,
    validated: count,
    validations: v.array(validation),
  }),
  random: recordOf({ seed: count, step: count }),
  schedule: v.record(v.string(), number),
  carried: v.optional(tree),
});

/** So that the same state has the same bytes, wherever its parts come from. */
function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A state as one file, so that all it says was true at one moment; but for the clock. */
export function writeState({ tensors, progress, ...rest }: TrainingState): Uint8Array {
  const { seconds, updateSeconds, ...same } = progress;
  return writeSafetensors(tensors, {
    training: JSON.stringify({ formatVersion: 1, progress: same, ...rest }, sortKeys),
  });
}

/** Reads what `writeState` wrote; `where` names the file. */
export function readState(bytes: Uint8Array, clock: Clock, where: string): TrainingState {
  const { tensors, metadata } = readSafetensors(bytes, where);
  let json: unknown;
  try {
    json = JSON.parse(metadata.training ?? "");
  } catch (cause) {
    throw new FormatError(`${where}: the metadata has no JSON under "training"`, { cause });
  }
  const { progress, random, schedule, carried } = checkContent(where, schema, json);
  mapTree(carried, isName, (name) => {
    if (!tensors.has(name)) throw new FormatError(`${where}: tensor ${JSON.stringify(name)} is missing`);
  });
  return {
    tensors,
    progress: { ...progress, best: progress.best, ...clock },
    random,
    schedule,
    carried,
  };
}
