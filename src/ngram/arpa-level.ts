import { sortByKey } from "./trie.ts";

/** The nodes of the orders that have been read. `first` begins the children of all but the last order's. */
export interface Columns {
  words: Int32Array;
  first: Int32Array;
  logProbs: Float32Array;
  backoffs: Float32Array;
}

/** The n-grams of one order as they come; the memory they take grows with them, whatever a header promises. */
export class Level {
  size = 0;
  parents = new Int32Array(1024);
  words = new Int32Array(1024);
  logProbs = new Float32Array(1024);
  backoffs = new Float32Array(1024);
  /** Where they stand in the file. */
  lines = new Int32Array(1024);

  add(parent: number, word: number, logProb: number, backoff: number, line: number): void {
    if (this.size === this.words.length) this.#grow();
    const at = this.size++;
    this.parents[at] = parent;
    this.words[at] = word;
    this.logProbs[at] = logProb;
    this.backoffs[at] = backoff;
    this.lines[at] = line;
  }

  #grow(): void {
    const twice = <T extends Int32Array | Float32Array>(from: T, to: T) => {
      to.set(from);
      return to;
    };
    const length = 2 * this.size;
    this.parents = twice(this.parents, new Int32Array(length));
    this.words = twice(this.words, new Int32Array(length));
    this.logProbs = twice(this.logProbs, new Float32Array(length));
    this.backoffs = twice(this.backoffs, new Float32Array(length));
    this.lines = twice(this.lines, new Int32Array(length));
  }

  /** By parent, those of one parent by word. `nodes` and `vocabularySize` are above all of them. */
  sorted(nodes: number, vocabularySize: number): Level {
    if (this.#inOrder()) return this;
    const all = new Int32Array(this.size).map((_, i) => i);
    const byWord = sortByKey(all, this.words, { buckets: vocabularySize });
    const order = sortByKey(byWord, this.parents, { buckets: nodes });
    const level = new Level();
    for (const i of order) {
      level.add(this.parents[i]!, this.words[i]!, this.logProbs[i]!, this.backoffs[i]!, this.lines[i]!);
    }
    return level;
  }

  #inOrder(): boolean {
    const { parents, words } = this;
    for (let i = 1; i < this.size; i++) {
      if (parents[i - 1]! > parents[i]!) return false;
      if (parents[i - 1] === parents[i] && words[i - 1]! > words[i]!) return false;
    }
    return true;
  }

  /** The line of an n-gram that came before; the level must be sorted. */
  twice(): number | undefined {
    const { parents, words, lines } = this;
    for (let i = 1; i < this.size; i++) {
      if (parents[i - 1] === parents[i] && words[i - 1] === words[i])
        return Math.max(lines[i - 1]!, lines[i]!);
    }
    return undefined;
  }
}

/** The nodes with another order's behind them, which hang on the last ones, from `parents` on. */
export function appendLevel(
  columns: Columns,
  level: Level,
  { parents, last }: { parents: number; last: boolean },
): Columns {
  const nodes = columns.words.length;
  const total = nodes + level.size;
  const first = new Int32Array(nodes + 1).fill(total);
  first.set(columns.first.subarray(0, parents));
  for (let node = parents, child = 0; node < nodes; node++) {
    while (child < level.size && level.parents[child]! < node) child++;
    first[node] = nodes + child;
  }
  return {
    words: join(columns.words, level.words.subarray(0, level.size), new Int32Array(total)),
    first,
    logProbs: join(columns.logProbs, level.logProbs.subarray(0, level.size), new Float32Array(total)),
    backoffs: last
      ? columns.backoffs
      : join(columns.backoffs, level.backoffs.subarray(0, level.size), new Float32Array(total)),
  };
}

function join<T extends Int32Array | Float32Array>(a: T, b: T, joined: T): T {
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
