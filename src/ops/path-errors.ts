/** What a path through the frames is compared with. */
export interface PathReference {
  /** The labels that were said, without blanks. */
  labels: ArrayLike<number>;
  /** How many labels there are, the blank among them. */
  classes: number;
  blank: number;
  /** What counts as an error: a label, or a word, the labels between two separators. */
  unit: "label" | "word";
  /** The label between words; −1 if there is none, and all labels are one word. */
  separator: number;
}

const NONE = -1;

/**
 * How many errors (edits: Levenshtein's distance) paths through frames have when they are collapsed as CTC does: a path
 * itself, and all that differ from it in one frame. Such a change is felt in a unit or two, so only these are computed
 * anew, between distances of what is before them and of what is behind them that are kept.
 */
export class PathErrors {
  /** Units of the reference; words as numbers. */
  readonly units: number;
  readonly #reference: PathReference;
  readonly #ids: Int32Array;
  readonly #words: WordTree | undefined;
  /** Labels that the reference has; all others do as much harm as each other. */
  readonly #known: Uint8Array;
  /** The path's labels without blanks and repetitions, how many there are, and how many up to each frame. */
  readonly #labels: number[] = [];
  readonly #count: number[] = [];
  /** For each place between labels: distances of the units before it to the reference's first j, and of those behind it. */
  #before = new Int32Array(0);
  #behind = new Int32Array(0);
  /** Where in a word it is. */
  readonly #nodes: number[] = [];
  readonly #row: Int32Array;
  #node = 0;

  constructor(reference: PathReference) {
    this.#reference = reference;
    const { labels, classes, unit, separator } = reference;
    const all = Array.from(labels);
    this.#known = new Uint8Array(classes);
    for (const label of all) this.#known[label] = 1;
    if (unit === "word") {
      this.#words = new WordTree(classes);
      const words = splitAt(all, separator);
      this.#ids = Int32Array.from(words, (word) => this.#words!.add(word));
      if (separator >= 0) this.#known[separator] = 1;
    } else this.#ids = Int32Array.from(all);
    this.units = this.#ids.length;
    this.#row = new Int32Array(this.units + 1);
  }

  /** The errors of a path; `alternatives` are about it then. */
  of(path: Int32Array): number {
    const { blank } = this.#reference;
    this.#labels.length = 0;
    this.#count.length = path.length + 1;
    this.#count[0] = 0;
    for (let t = 0; t < path.length; t++) {
      if (path[t] !== blank && path[t] !== path[t - 1]) this.#labels.push(path[t]!);
      this.#count[t + 1] = this.#labels.length;
    }
    this.#measureBefore();
    this.#measureBehind();
    return this.#errorsFrom(this.#labels.length);
  }

  /** The errors of the path that was taken with each label in place of its own at frame t, into `errors`. */
  alternatives(path: Int32Array, t: number, errors: Float64Array): void {
    const { blank, classes } = this.#reference;
    const before = this.#count[t]!;
    const behind = this.#count[Math.min(t + 2, path.length)]!;
    const [left, right] = [path[t - 1] ?? blank, path[t + 1] ?? blank];
    let ofUnknown = NONE;
    for (let label = 0; label < classes; label++) {
      const shared = !this.#known[label] && label !== blank && label !== left && label !== right;
      if (shared && ofUnknown !== NONE) errors[label] = ofUnknown;
      else {
        this.#startAt(before);
        if (label !== blank && label !== left) this.#push(label);
        if (right !== blank && right !== label) this.#push(right);
        errors[label] = this.#errorsFrom(behind);
        if (shared) ofUnknown = errors[label]!;
      }
    }
  }

  /** Whether frame t has the neighbours of the one before it, collapsed, and so the same alternatives. */
  repeats(path: Int32Array, t: number): boolean {
    const { blank } = this.#reference;
    return t > 0 && path[t - 1] === (path[t - 2] ?? blank) && path[t] === (path[t + 1] ?? blank);
  }

  #measureBefore(): void {
    const [labels, width] = [this.#labels, this.units + 1];
    const size = (labels.length + 1) * width;
    if (this.#before.length < size) {
      this.#before = new Int32Array(size);
      this.#behind = new Int32Array(size);
    }
    const row = this.#row;
    for (let j = 0; j < width; j++) row[j] = j;
    this.#node = 0;
    for (let i = 0; ; i++) {
      this.#before.set(row, i * width);
      this.#nodes[i] = this.#node;
      if (i === labels.length) return;
      this.#push(labels[i]!);
    }
  }

  /** Of words only where one ends. */
  #measureBehind(): void {
    const [labels, R, behind] = [this.#labels, this.units, this.#behind];
    const width = R + 1;
    const { separator } = this.#reference;
    let next = labels.length;
    for (let j = 0; j <= R; j++) behind[next * width + j] = R - j;
    for (let i = next - 1; i >= 0; i--) {
      if (this.#words && labels[i] !== separator) continue;
      const [from, to] = [i * width, next * width];
      // Between two separators there may be nothing.
      const id = this.#words ? this.#words.idOf(labels, i + 1, next) : labels[i]!;
      if (id === undefined) behind.copyWithin(from, to, to + width);
      else {
        for (let j = R; j >= 0; j--) {
          let least = behind[to + j]! + 1;
          if (j < R) {
            const replaced = behind[to + j + 1]! + (this.#ids[j] === id ? 0 : 1);
            least = Math.min(least, replaced, behind[from + j + 1]! + 1);
          }
          behind[from + j] = least;
        }
      }
      next = i;
    }
  }

  /** Goes on from what is before place i. */
  #startAt(i: number): void {
    const width = this.units + 1;
    for (let j = 0; j < width; j++) this.#row[j] = this.#before[i * width + j]!;
    this.#node = this.#nodes[i]!;
  }

  #push(label: number): void {
    if (!this.#words) this.#advance(label);
    else if (label !== this.#reference.separator) this.#node = this.#words.step(this.#node, label);
    else this.#closeWord();
  }

  #closeWord(): void {
    if (this.#node === 0) return;
    this.#advance(this.#words!.wordAt(this.#node));
    this.#node = 0;
  }

  /** The distances with one unit more; NONE is one that the reference does not have. */
  #advance(id: number): void {
    const [row, ids] = [this.#row, this.#ids];
    let diagonal = row[0]!;
    row[0] = diagonal + 1;
    for (let j = 1; j < row.length; j++) {
      const above = row[j]!;
      row[j] = Math.min(diagonal + (ids[j - 1] === id ? 0 : 1), above + 1, row[j - 1]! + 1);
      diagonal = above;
    }
  }

  /** All errors, if what was pushed goes on with the path's labels from place i. */
  #errorsFrom(i: number): number {
    let end = i;
    if (this.#words) {
      while (end < this.#labels.length && this.#labels[end] !== this.#reference.separator) {
        this.#node = this.#words.step(this.#node, this.#labels[end]!);
        end++;
      }
      this.#closeWord();
    }
    const width = this.units + 1;
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < width; j++) least = Math.min(least, this.#row[j]! + this.#behind[end * width + j]!);
    return least;
  }
}

/** Words of labels as a tree: a node for each beginning, 0 the empty one and −1 that of no word. */
class WordTree {
  readonly #classes: number;
  readonly #children = new Map<number, number>();
  /** The word's number, NONE for a beginning that is none. */
  readonly #words = [NONE];
  #count = 0;

  constructor(classes: number) {
    this.#classes = classes;
  }

  add(word: readonly number[]): number {
    let node = 0;
    for (const label of word) {
      const key = node * this.#classes + label;
      const child = this.#children.get(key) ?? this.#words.push(NONE) - 1;
      this.#children.set(key, child);
      node = child;
    }
    if (this.#words[node] === NONE) this.#words[node] = this.#count++;
    return this.#words[node]!;
  }

  step(node: number, label: number): number {
    return node < 0 ? NONE : (this.#children.get(node * this.#classes + label) ?? NONE);
  }

  wordAt(node: number): number {
    return node < 0 ? NONE : this.#words[node]!;
  }

  /** The word of labels [from, to); undefined if there are none. */
  idOf(labels: readonly number[], from: number, to: number): number | undefined {
    if (from === to) return undefined;
    let node = 0;
    for (let i = from; i < to; i++) node = this.step(node, labels[i]!);
    return this.wordAt(node);
  }
}

function splitAt(labels: readonly number[], separator: number): number[][] {
  const words: number[][] = [[]];
  for (const label of labels) {
    if (label === separator) words.push([]);
    else words.at(-1)!.push(label);
  }
  return words.filter(({ length }) => length > 0);
}
