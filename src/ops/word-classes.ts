import { OptionError } from "../errors.ts";

/** A vocabulary cut into classes: ranges of words, one after the other. */
export interface WordClasses {
  /** [C + 1]: where each class begins, and the size of the vocabulary. */
  readonly starts: Int32Array;
  /** [V]: the class of each word. */
  readonly classOf: Int32Array;
  /** Words of the largest. */
  readonly most: number;
}

/** The classes that begin at these words, of which the first is word 0. */
export function wordClasses(first: ArrayLike<number>, vocabularySize: number): WordClasses {
  const starts = Int32Array.from([...Array.from(first), vocabularySize]);
  const classOf = new Int32Array(vocabularySize);
  let most = 0;
  for (let c = 0; c + 1 < starts.length; c++) {
    const [from, to] = [starts[c]!, starts[c + 1]!];
    if (to <= from || (c === 0 && from !== 0)) {
      throw new OptionError(
        `wordClasses: classes must begin at word 0 and have a word each, up to ${vocabularySize}, got one from ${from} to ${to}`,
      );
    }
    classOf.fill(c, from, to);
    most = Math.max(most, to - from);
  }
  return { starts, classOf, most };
}

/** Numbers of a group: class, first word, words, first row, rows, where its [rows, words] stand. */
export const GROUP = 6;

/** Rows in the order of their classes. Rows whose target is `ignored` are left out. */
export interface Grouping {
  /** [G, 6], see assembly/classes.ts. */
  groups: Int32Array;
  /** [kept]: where each row was, and which word of its class is its target. */
  order: Int32Array;
  targets: Int32Array;
  /** Where each row was: its class, or `ignored`. */
  ofClasses: Int32Array;
  /** The most words, or rows, of a group. */
  most: number;
}

/** Puts rows into the order of their targets' classes; rows of one class stay in their order. */
export function groupByClass(rows: Int32Array, { starts, classOf }: WordClasses, ignored: number): Grouping {
  const counts = new Int32Array(starts.length - 1);
  const ofClasses = rows.map((target) => (target === ignored ? ignored : classOf[target]!));
  let kept = 0;
  for (let r = 0; r < rows.length; r++) {
    if (rows[r] === ignored) continue;
    counts[ofClasses[r]!]!++;
    kept++;
  }
  const groups: number[] = [];
  let [first, at, most] = [0, 0, 0];
  const next = counts.map((count, c) => {
    const before = first;
    if (count === 0) return before;
    const words = starts[c + 1]! - starts[c]!;
    groups.push(c, starts[c]!, words, first, count, at);
    first += count;
    at += count * words;
    most = Math.max(most, words, count);
    return before;
  });
  const order = new Int32Array(kept);
  const targets = new Int32Array(kept);
  for (let r = 0; r < rows.length; r++) {
    if (rows[r] === ignored) continue;
    const place = next[ofClasses[r]!]!++;
    order[place] = r;
    targets[place] = rows[r]! - starts[ofClasses[r]!]!;
  }
  return { groups: Int32Array.from(groups), order, targets, ofClasses, most };
}
