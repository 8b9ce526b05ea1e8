/** How a hypothesis' word and a reference's stand to each other on the cheapest way from one sentence to the other. */
export type Edit = "match" | "substitution" | "insertion" | "deletion";
const edits = ["match", "substitution", "deletion", "insertion"] as const;
const [MATCH, SUBSTITUTION, DELETION, INSERTION] = [0, 1, 2, 3];

const BEAM = 25;
const FAR = 2 ** 30;

/**
 * Levenshtein's distance of many hypotheses of one length to a reference, as TER needs it: near the diagonal only, and
 * with the rows of one hypothesis kept, so that another that begins alike is computed from where it differs.
 */
export class EditDistance {
  readonly #reference: Int32Array;
  readonly #columns: number;
  readonly #rows: number;
  readonly #costs: Int32Array;
  readonly #edits: Uint8Array;
  /** What the rows were computed for, and how many of them are its own. */
  readonly #hypothesis: Int32Array;
  #known = 0;

  /** Of words as numbers; `length` is the hypotheses'. */
  constructor(reference: Int32Array, length: number) {
    this.#reference = reference;
    this.#columns = reference.length + 1;
    this.#rows = length + 1;
    this.#costs = new Int32Array(this.#rows * this.#columns);
    this.#edits = new Uint8Array(this.#rows * this.#columns);
    this.#hypothesis = new Int32Array(length);
    // Out of nothing, every word of the reference is inserted.
    for (let j = 0; j < this.#columns; j++) {
      this.#costs[j] = j;
      this.#edits[j] = INSERTION!;
    }
  }

  /** How many words to insert, delete or substitute for a hypothesis to become the reference. */
  of(hypothesis: Int32Array): number {
    let same = 0;
    while (same < this.#known && this.#hypothesis[same] === hypothesis[same]) same++;
    for (let i = same + 1; i < this.#rows; i++) this.#fillRow(i, hypothesis);
    this.#hypothesis.set(hypothesis);
    this.#known = hypothesis.length;
    return this.#costs.at(-1)!;
  }

  #fillRow(i: number, hypothesis: Int32Array): void {
    const [costs, columns] = [this.#costs, this.#columns];
    const ratio = this.#reference.length / hypothesis.length;
    const beam = BEAM < ratio / 2 ? Math.ceil(ratio / 2 + BEAM) : BEAM;
    const diagonal = Math.floor(i * ratio);
    const first = Math.max(0, diagonal - beam);
    const end = i === this.#rows - 1 ? columns : Math.min(columns, diagonal + beam);
    const row = i * columns;
    const above = row - columns;
    costs.fill(FAR, row, row + columns);
    for (let j = first; j < end; j++) {
      let cost = costs[above + j]! + 1;
      let edit = DELETION!;
      if (j > 0) {
        const same = hypothesis[i - 1] === this.#reference[j - 1];
        const replaced = costs[above + j - 1]! + (same ? 0 : 1);
        // Of ways that cost the same, tercom takes match or substitution, then deletion, then insertion.
        if (replaced <= cost) [cost, edit] = [replaced, same ? MATCH! : SUBSTITUTION!];
        const inserted = costs[row + j - 1]! + 1;
        if (inserted < cost) [cost, edit] = [inserted, INSERTION!];
      }
      costs[row + j] = cost;
      this.#edits[row + j] = edit;
    }
  }

  /** The edits that make the hypothesis of the last call the reference, from its beginning. */
  path(): Edit[] {
    const path: Edit[] = [];
    let [i, j] = [this.#rows - 1, this.#columns - 1];
    while (i > 0 || j > 0) {
      const edit = edits[this.#edits[i * this.#columns + j]!]!;
      path.push(edit);
      if (edit !== "insertion") i--;
      if (edit !== "deletion") j--;
    }
    return path.reverse();
  }
}
