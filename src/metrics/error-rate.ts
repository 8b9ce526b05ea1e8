import { DataError } from "../errors.ts";

/** A run of a reference and of a hypothesis that belong together; `from` and `to` count words, or characters. */
export interface AlignmentChunk {
  kind: "equal" | "substitute" | "insert" | "delete";
  reference: [from: number, to: number];
  hypothesis: [from: number, to: number];
}

/** How hypotheses differ from their references, over all of them; the words are jiwer's. */
export interface ErrorRate {
  /** (S + D + I) / (H + S + D): the word error rate, or of characters the CER; without a reference, I. */
  rate: number;
  /** (S + D + I) / (H + S + D + I) */
  matchErrorRate: number;
  /** H/N · H/P, of N words in the references and P in the hypotheses (Morris et al. 2004); 1 if there are none. */
  informationPreserved: number;
  /** What of it is missing to 1. */
  informationLost: number;
  hits: number;
  substitutions: number;
  deletions: number;
  insertions: number;
  /** One for each pair. */
  alignments: AlignmentChunk[][];
}

type Kind = AlignmentChunk["kind"];

/**
 * The fewest edits that make the hypothesis of the reference, as runs. Of several ways the one that, read from the end,
 * matches where it can, and prefers deleting to inserting and that to substituting.
 */
function align(reference: readonly string[], hypothesis: readonly string[]): AlignmentChunk[] {
  const [rows, columns] = [reference.length + 1, hypothesis.length + 1];
  const cost = new Uint32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      if (i === 0 || j === 0) cost[at] = i + j;
      else {
        const replace = cost[at - columns - 1]! + (reference[i - 1] === hypothesis[j - 1] ? 0 : 1);
        cost[at] = Math.min(replace, cost[at - columns]! + 1, cost[at - 1]! + 1);
      }
    }
  }
  const chunks: AlignmentChunk[] = [];
  let [i, j] = [rows - 1, columns - 1];
  while (i > 0 || j > 0) {
    const kind = lastEdit(cost, columns, i, j, reference[i - 1] === hypothesis[j - 1]);
    const [ri, rj] = [i, j];
    if (kind !== "insert") i--;
    if (kind !== "delete") j--;
    const previous = chunks.at(-1);
    if (previous?.kind === kind) {
      previous.reference[0] = i;
      previous.hypothesis[0] = j;
    } else chunks.push({ kind, reference: [i, ri], hypothesis: [j, rj] });
  }
  return chunks.reverse();
}

function lastEdit(cost: Uint32Array, columns: number, i: number, j: number, same: boolean): Kind {
  if (i === 0) return "insert";
  if (j === 0) return "delete";
  if (same) return "equal";
  const at = i * columns + j;
  if (cost[at] === cost[at - columns]! + 1) return "delete";
  return cost[at] === cost[at - 1]! + 1 ? "insert" : "substitute";
}

function measure(pairs: (readonly [string[], string[]])[]): ErrorRate {
  const counts: Record<Kind, number> = { equal: 0, substitute: 0, insert: 0, delete: 0 };
  const alignments = pairs.map(([reference, hypothesis]) => align(reference, hypothesis));
  for (const { kind, reference, hypothesis } of alignments.flat()) {
    counts[kind] += kind === "insert" ? hypothesis[1] - hypothesis[0] : reference[1] - reference[0];
  }
  const { equal: hits, substitute: substitutions, insert: insertions, delete: deletions } = counts;
  const inReferences = hits + substitutions + deletions;
  const inHypotheses = hits + substitutions + insertions;
  const errors = substitutions + deletions + insertions;
  const either = inReferences + insertions;
  const preserved = either === 0 ? 1 : hits === 0 ? 0 : (hits / inReferences) * (hits / inHypotheses);
  return {
    rate: inReferences ? errors / inReferences : insertions,
    matchErrorRate: either ? errors / either : 0,
    informationPreserved: preserved,
    informationLost: 1 - preserved,
    ...{ hits, substitutions, deletions, insertions, alignments },
  };
}

const wordsOf = (text: string) => text.split(/\s+/).filter(Boolean);
const charactersOf = (text: string) => [...text.trim()];

function pairsOf(
  what: string,
  references: string | readonly string[],
  hypotheses: string | readonly string[],
  split: (text: string) => string[],
) {
  const [left, right] = [references, hypotheses].map((texts) =>
    typeof texts === "string" ? [texts] : texts,
  );
  if (left!.length !== right!.length) {
    throw new DataError(
      `${what}: needs a hypothesis for each of ${left!.length} references, got ${right!.length}`,
    );
  }
  return left!.map((reference, i) => [split(reference), split(right![i]!)] as const);
}

/**
 * The word error rate of hypotheses, taken together: errors are summed over all pairs before they are divided. Words are
 * what white space separates; nothing else is normalised. An empty reference is allowed: what is said where nothing
 * should be is inserted.
 */
export function wordErrorRate(
  references: string | readonly string[],
  hypotheses: string | readonly string[],
): ErrorRate {
  return measure(pairsOf("wordErrorRate", references, hypotheses, wordsOf));
}

/** The same of characters (code points), spaces between words among them, those around the text not. */
export function characterErrorRate(
  references: string | readonly string[],
  hypotheses: string | readonly string[],
): ErrorRate {
  return measure(pairsOf("characterErrorRate", references, hypotheses, charactersOf));
}
