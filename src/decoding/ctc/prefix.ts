/** ln(eᵃ + eᵇ) */
export function logAdd(a: number, b: number): number {
  if (a < b) [a, b] = [b, a];
  return b === Number.NEGATIVE_INFINITY ? a : a + Math.log1p(Math.exp(b - a));
}

const NOTHING = Number.NEGATIVE_INFINITY;

/** A labelling that recognition may begin with, a node of the tree of all that were looked at. */
export class Prefix<State> {
  readonly parent: Prefix<State> | undefined;
  /** The last label; −1 of the empty prefix. */
  readonly label: number;
  readonly children: Prefix<State>[] = [];
  inBeam = false;
  /** ln Pr⁻: of the paths that end in a blank. */
  blank = NOTHING;
  /** ln Pr⁺: of those that end in the last label. */
  nonBlank = NOTHING;
  /** ln Pr, of either. */
  total = NOTHING;
  /** What they become in this frame. */
  nextBlank = NOTHING;
  nextNonBlank = NOTHING;
  /** What language model and insertion bonus give, weighted, for the units that are complete. */
  language = 0;
  /** The language model's state after them. */
  state: State | undefined;
  /** The same after the last word too, as if it ended here; as far as it was asked for. */
  ended: State | undefined;
  /** Where in the lexicon's current word. */
  node = 0;
  /** Where the current word began: all before it is complete. */
  wordStart: Prefix<State> | undefined;
  /** What each label would add to `language`, as far as it was asked for; NaN elsewhere. */
  transitions: Float64Array | undefined;

  constructor(parent: Prefix<State> | undefined, label: number) {
    this.parent = parent;
    this.label = label;
    parent?.children.push(this);
  }

  /** Leaves the tree if nothing in the beam begins with it, and so do those before it. */
  release(): void {
    if (this.inBeam || this.children.length > 0 || !this.parent) return;
    const siblings = this.parent.children;
    siblings.splice(siblings.indexOf(this), 1);
    this.parent.release();
  }

  /** The labels from the first one on, or those after an earlier prefix. */
  labels(after?: Prefix<State>): number[] {
    const labels: number[] = [];
    for (let p: Prefix<State> | undefined = this; p?.parent && p !== after; p = p.parent)
      labels.push(p.label);
    return labels.reverse();
  }
}

/** A prefix as it stays in the beam, or what it becomes by one more label. */
export interface Candidate<State> {
  score: number;
  /** When it was offered. */
  order: number;
  prefix: Prefix<State>;
  /** −1: it stays what it is. */
  label: number;
  /** ln Pr⁺ of the continuation. */
  nonBlank: number;
}

/** The `size` best of the candidates offered; of equal scores the one offered first. */
export class Best<State> {
  readonly #size: number;
  /** A heap whose root is the worst of those kept. */
  readonly #heap: Candidate<State>[] = [];
  #offered = 0;
  /** What a score must exceed to be kept. */
  threshold = NOTHING;

  constructor(size: number) {
    this.#size = size;
  }

  offer(score: number, prefix: Prefix<State>, label = -1, nonBlank = NOTHING): void {
    if (!(score > this.threshold)) return;
    const heap = this.#heap;
    const candidate = { score, order: this.#offered++, prefix, label, nonBlank };
    if (heap.length < this.#size) {
      heap.push(candidate);
      this.#up(heap.length - 1);
    } else {
      heap[0] = candidate;
      this.#down();
    }
    if (heap.length === this.#size) this.threshold = heap[0]!.score;
  }

  /** Those kept, the best first. */
  take(): Candidate<State>[] {
    return this.#heap.sort((a, b) => b.score - a.score || a.order - b.order);
  }

  #worse(a: number, b: number): boolean {
    const x = this.#heap[a]!;
    const y = this.#heap[b]!;
    return x.score < y.score || (x.score === y.score && x.order > y.order);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const candidate = heap[a]!;
    heap[a] = heap[b]!;
    heap[b] = candidate;
  }

  #up(at: number): void {
    for (let above = (at - 1) >> 1; at > 0 && this.#worse(at, above); above = (at - 1) >> 1) {
      this.#swap(at, above);
      at = above;
    }
  }

  #down(): void {
    const { length } = this.#heap;
    for (let at = 0, below = 1; below < length; below = 2 * at + 1) {
      if (below + 1 < length && this.#worse(below + 1, below)) below++;
      if (this.#worse(at, below)) return;
      this.#swap(at, below);
      at = below;
    }
  }
}
