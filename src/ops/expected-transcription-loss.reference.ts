import type { ReferenceOf } from "../autograd/op.ts";
import { checkTargets } from "./ctc-loss.ts";
import type { expectedTranscriptionLossOp } from "./expected-transcription-loss.ts";
import { fallsOn } from "./falls-on.ts";

/** B: repetitions are one, and blanks none. */
const collapse = (path: readonly number[], blank: number) =>
  path.filter((k, t) => k !== blank && k !== path[t - 1]);

/** What errors are counted in. */
function unitsOf(labels: readonly number[], unit: "label" | "word", separator: number): string[] {
  if (unit === "label") return labels.map(String);
  const text = labels.map((label) => (label === separator ? " " : `${label},`)).join("");
  return text.split(" ").filter((word) => word !== "");
}

/** Levenshtein's distance, by its definition. */
function distance(a: readonly string[], b: readonly string[]): number {
  let row = b.map((_, j) => j + 1);
  for (const [i, unit] of a.entries()) {
    const next: number[] = [];
    for (const [j, other] of b.entries()) {
      const corner = j > 0 ? row[j - 1]! : i;
      next.push(Math.min(corner + Number(unit !== other), row[j]! + 1, (j > 0 ? next[j - 1]! : i + 1) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? a.length;
}

export const expectedTranscriptionLoss: ReferenceOf<typeof expectedTranscriptionLossOp> = {
  forward({ shapes, inputs, outputs, saved }, { blank, unit, separator }) {
    const { targets, inputLengths, targetLengths, probs, uniform } = inputs;
    const lengths = { targets, inputLengths, targetLengths };
    const shapesOf = { logits: shapes.probs, targets: shapes.targets };
    checkTargets(shapesOf, lengths, blank, "expectedTranscriptionLoss");
    const [, N, V] = shapes.probs as [number, number, number];
    const [L, S] = [shapes.targets[1]!, shapes.uniform[2]!];
    let [edits, units] = [0, 0];
    for (let n = 0; n < N; n++) {
      const labels = [...targets.subarray(n * L, n * L + targetLengths[n]!)];
      const reference = unitsOf(labels, unit, separator);
      const errors = (path: readonly number[]) =>
        distance(unitsOf(collapse(path, blank), unit, separator), reference);
      units += reference.length;
      for (let s = 0; s < S; s++) {
        const path = Array.from({ length: inputLengths[n]! }, (_, t) =>
          fallsOn(probs, (t * N + n) * V, V, uniform[(t * N + n) * S + s]!),
        );
        edits += path.some((_, t) => Number.isNaN(probs[(t * N + n) * V])) ? Number.NaN : errors(path);
        for (let t = 0; t < path.length; t++) {
          for (let k = 0; k < V; k++) saved.gradient[(t * N + n) * V + k]! += errors(path.with(t, k));
        }
      }
    }
    const scale = 1 / (S * Math.max(1, units));
    for (let i = 0; i < saved.gradient.length; i++) saved.gradient[i]! *= scale;
    outputs.loss[0] = edits * scale;
  },
  backward({ saved, gradOutputs, gradInputs }) {
    for (let i = 0; i < saved.gradient.length; i++) {
      gradInputs.probs[i]! += gradOutputs.loss[0]! * saved.gradient[i]!;
    }
  },
};
